// Makes one file of each control for anywidget, and one for pages: ../static/NAME.js, beside a digest of the sources.

import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const CONTROLS = ["beta_slider", "drawing", "pad", "page", "picture"];
const here = new URL(".", import.meta.url);

await build({
  absWorkingDir: here.pathname,
  entryPoints: CONTROLS.map((name) => `${name}.js`),
  outdir: process.argv[2] ?? "../static",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  banner: { js: "// Made of widgets/js by `npm run build`: change it there." },
});

const lib = (await readdir(new URL("lib/", here))).map((file) => `lib/${file}`);
const digest = createHash("sha256");
for (const name of [...CONTROLS.map((control) => `${control}.js`), ...lib].sort()) {
  digest.update(`${name}\n${(await readFile(new URL(name, here), "utf8")).replaceAll("\r\n", "\n")}`);
}
if (!process.argv[2]) await writeFile(new URL("../static/sources.sha256", here), `${digest.digest("hex")}\n`);
