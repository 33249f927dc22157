import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([AriaComponent, BarChart, LineChart, DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

const MAX_BINS = 30;
const charts = new Map();

document.addEventListener("DOMContentLoaded", drawAll);
document.addEventListener("htmx:after:swap", drawAll);
document.addEventListener("themechange", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
const sizes = new ResizeObserver((entries) => entries.forEach((entry) => charts.get(entry.target)?.resize()));

function redraw() {
  for (const [element, chart] of charts) {
    chart.dispose();
    charts.delete(element);
  }
  drawAll();
}

function drawAll() {
  for (const element of charts.keys()) {
    if (!element.isConnected) {
      charts.get(element).dispose();
      sizes.unobserve(element);
      charts.delete(element);
    }
  }
  for (const element of document.querySelectorAll("[data-chart]")) {
    if (!charts.has(element)) draw(element);
  }
}

// A chart is described by the page as {kind, x, series: [{name, values}], x_title, y_title, marks}.
function draw(element) {
  const picture = JSON.parse(document.getElementById(element.dataset.chart).textContent);
  const chart = echarts.init(element, null, { renderer: "canvas" });
  charts.set(element, chart);
  sizes.observe(element);
  chart.setOption(describe(picture.kind === "histogram" ? countBins(picture) : picture, element));
}

function describe(picture, element) {
  const css = getComputedStyle(document.documentElement);
  const colour = (name) => css.getPropertyValue(name).trim();
  const font = { fontFamily: css.getPropertyValue("--sans"), color: colour("--muted"), fontSize: 12 };
  const isLine = picture.kind === "line";
  const isScale = picture.x_kind === "number" && isLine;
  const axis = { axisLabel: font, nameTextStyle: font, axisLine: { lineStyle: { color: colour("--line-strong") } }, axisTick: { show: false } };
  const rows = Math.ceil(picture.series.length / Math.max(1, Math.floor(element.clientWidth / 105)));
  // Few bars get all their labels, cut to the room that they have; many get those that fit.
  const room = Math.floor((element.clientWidth - 60) / Math.max(1, picture.x.length));
  const labels = !isScale && room > 44 ? { ...font, interval: 0, width: room - 8, overflow: "truncate" } : font;
  const palette = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6"].map(colour);
  return {
    animation: false,
    color: palette,
    aria: { enabled: false },
    textStyle: font,
    grid: { left: 8, right: 12, top: picture.series.length > 1 ? 28 + 20 * rows : 28, bottom: picture.x_title ? 26 : 4, containLabel: true },
    legend: picture.series.length > 1 ? { top: 0, left: 0, width: element.clientWidth, textStyle: { ...font, color: colour("--text") }, itemWidth: 12, itemHeight: 8 } : undefined,
    tooltip: {
      trigger: "axis", renderMode: "richText", confine: true, backgroundColor: colour("--surface"), borderColor: colour("--line-strong"),
      textStyle: { ...font, color: colour("--text") }, axisPointer: { type: isLine ? "line" : "shadow", shadowStyle: { color: colour("--hover") } },
    },
    xAxis: { ...axis, axisLabel: labels, type: isScale ? "value" : "category", scale: isScale, data: isScale ? undefined : picture.x, name: picture.x_title ?? "", nameLocation: "middle", nameGap: 26, splitLine: { show: false } },
    yAxis: { ...axis, type: "value", scale: isLine, name: picture.y_title ?? "", nameLocation: "end", nameTextStyle: { ...font, align: "left" }, axisLine: { show: false }, splitLine: { lineStyle: { color: colour("--line") } } },
    series: picture.series.map((series, index) => ({
      type: isLine ? "line" : "bar",
      name: series.name,
      stack: picture.is_stacked ? "all" : undefined,
      data: isScale ? series.values.map((value, place) => [(series.x ?? picture.x)[place], value]) : series.values,
      showSymbol: series.values.length < 60,
      symbolSize: 5,
      lineStyle: { width: 2 },
      barMaxWidth: 48,
      barCategoryGap: picture.is_dense ? "8%" : "25%",
      markLine: index === 0 && picture.mark !== undefined ? {
        symbol: "none", silent: true, lineStyle: { color: colour("--danger"), type: "dashed" },
        label: { ...font, formatter: picture.mark_label ?? "" }, data: [{ xAxis: picture.mark }],
      } : undefined,
    })),
  };
}

function countBins(picture) {
  const values = picture.series[0].values.filter((value) => typeof value === "number" && Number.isFinite(value));
  if (!values.length) return { ...picture, kind: "bar", x: [], series: [{ name: picture.series[0].name, values: [] }] };
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = values.reduce((most, value) => Math.max(most, value));
  const isWhole = values.every(Number.isInteger);
  const range = high - low || 1;
  const step = isWhole ? Math.max(1, Math.ceil((range + 1) / MAX_BINS)) : range / Math.min(MAX_BINS, Math.ceil(Math.sqrt(values.length)));
  const counts = new Array(Math.floor(range / step) + 1).fill(0);
  for (const value of values) counts[Math.min(counts.length - 1, Math.floor((value - low) / step))] += 1;
  const label = (value) => (isWhole ? String(value) : value.toPrecision(3));
  const x = counts.map((_, index) => (isWhole && step === 1 ? label(low + index) : `${label(low + index * step)} to ${label(low + (index + 1) * step)}`));
  return { ...picture, kind: "bar", is_dense: true, x, x_title: picture.series[0].name, y_title: "rows", series: [{ name: "rows", values: counts }] };
}
