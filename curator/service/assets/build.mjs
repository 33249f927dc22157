// Builds what the pages load into ../static: `make assets`. The result is committed, so that nobody needs Node to run it.
import { build } from "esbuild";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";

const OUT = "../static";

await rm(OUT, { recursive: true, force: true });
await build({
  entryPoints: ["src/app.js", "src/theme.js", "src/editor.js", "src/charts.js", "src/chat.js", "src/app.css"],
  outdir: OUT,
  bundle: true,
  minify: true,
  legalComments: "none",
  target: ["es2022"],
  format: "iife",
  logLevel: "info",
});
await writeFile(`${OUT}/LICENCES.txt`, await collectLicences());

async function collectLicences() {
  const lock = JSON.parse(await readFile("package-lock.json", "utf8"));
  const parts = [];
  for (const [folder, entry] of Object.entries(lock.packages).sort()) {
    const name = folder.replace("node_modules/", "");
    if (!folder || name.includes("esbuild")) continue;
    const entries = await readdir(folder, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && /^(licen[cs]e|notice)/i.test(entry.name)).map((entry) => entry.name).sort();
    const texts = await Promise.all(files.map((file) => readFile(`${folder}/${file}`, "utf8")));
    parts.push(`${name} ${entry.version} (${entry.license})\n\n${texts.join("\n").trim()}\n`);
  }
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}
