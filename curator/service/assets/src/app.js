import htmx from "htmx.org";

// htmx sends the token of the page, without which the service refuses to change anything.
document.addEventListener("htmx:config:request", (event) => {
  Object.assign(event.detail.ctx.request.headers, window.curator.headers());
});

document.addEventListener("htmx:error", () => announce("No answer from the service. Is curator serve still running?"));
document.addEventListener("htmx:before:request", (event) => setBusy(event, true));
document.addEventListener("htmx:finally:request", (event) => setBusy(event, false));
document.addEventListener("htmx:after:swap", () => {
  const focused = document.querySelector("[data-focus]");
  if (focused) {
    focused.removeAttribute("data-focus");
    focused.focus({ preventScroll: true });
  }
});

window.htmx = htmx;
window.curator = { headers, announce };

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-action]");
  if (target) actions[target.dataset.action]?.(target, event);
});
document.addEventListener("keydown", followKey);
document.addEventListener("input", (event) => {
  const slider = event.target.closest("[data-threshold]");
  if (slider) showThreshold(slider);
});
document.addEventListener("htmx:after:swap", () => document.querySelectorAll("[data-threshold]").forEach(showThreshold));
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-threshold]").forEach(showThreshold);
  markTheme();
});

const actions = {
  theme() {
    const isDark = readTheme() === "dark";
    document.documentElement.dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem("theme", isDark ? "light" : "dark");
    markTheme();
    document.dispatchEvent(new Event("themechange"));
  },
  menu(button) {
    const isOpen = document.body.classList.toggle("menu-open");
    button.setAttribute("aria-expanded", String(isOpen));
  },
  keys() {
    document.getElementById("keys").showModal();
  },
  close(button) {
    button.closest("dialog").close();
  },
  copy(button) {
    navigator.clipboard.writeText(button.dataset.copy).then(() => announce("Copied."));
  },
};

function headers() {
  const token = document.querySelector('meta[name="csrf"]')?.content ?? "";
  return { "X-CSRF-Token": token };
}

function announce(text) {
  document.getElementById("notice").textContent = text;
}

function setBusy(event, isBusy) {
  const target = event.detail.ctx?.target;
  if (target instanceof Element) target.toggleAttribute("aria-busy", isBusy);
  if (isBusy) announce("");
}

function readTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return document.documentElement.dataset.theme ?? system;
}

function markTheme() {
  const button = document.querySelector('[data-action="theme"]');
  button?.setAttribute("aria-pressed", String(readTheme() === "dark"));
}

// One key a command: a page says with data-key which element it presses. Two keys, g and a letter, go to a page.
let isGoing = false;
function followKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const key = event.key;
  const wanted = isGoing ? `g ${key}` : key;
  isGoing = !isGoing && key === "g";
  const element = document.querySelector(`[data-key="${CSS.escape(wanted)}"]`);
  if (!element) return;
  event.preventDefault();
  if (element.matches("input:not([type=radio]), select, textarea")) element.focus();
  else element.click();
}

function isTyping(target) {
  if (target.closest?.(".cm-editor")) return true;
  return target.matches?.("input:not([type=radio], [type=checkbox], [type=range]), textarea, select");
}

// What another threshold would remove was counted for all of them beforehand: moving the slider only shows it.
function showThreshold(slider) {
  const counts = JSON.parse(slider.dataset.threshold);
  const found = counts.find((count) => Math.abs(count.threshold - Number(slider.value)) < 1e-6);
  if (!found) return;
  for (const output of document.querySelectorAll("[data-count]")) {
    const value = found[output.dataset.count];
    output.textContent = typeof value === "number" && output.dataset.count !== "threshold"
      ? value.toLocaleString("en") : Number(value).toFixed(2);
  }
  for (const row of document.querySelectorAll("[data-at]")) {
    row.toggleAttribute("data-current", Math.abs(Number(row.dataset.at) - Number(slider.value)) < 1e-6);
  }
}
