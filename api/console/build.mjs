// SPDX-License-Identifier: AGPL-3.0-or-later
// Builds the console's assets into static/dist: hashed names, a manifest and the licences of what
// is inside. Run it by `npm run build`; it takes no arguments and fetches nothing.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { build } from "esbuild";

const OUT = "static/dist";
const BROWSERS = ["chrome100", "firefox100", "safari15"];

/** Name of a file with the hash of its content in it. */
function hashedName(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const extension = extname(name);
  return `${basename(name, extension)}-${hash}${extension}`;
}

/** One SVG file holding every icon as a symbol, for <use href="…#name">. */
async function iconSprite() {
  const files = (await readdir("src/icons")).filter((name) => name.endsWith(".svg")).sort();
  const symbols = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join("src/icons", file), "utf8");
      const inside = text.replace(/<!--.*?-->/gs, "").match(/<svg[^>]*>(.*)<\/svg>/s)[1].trim();
      return `<symbol id="${basename(file, ".svg")}" viewBox="0 0 24 24">${inside}</symbol>`;
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}

/** Bundle one entry and return its text. */
async function bundle(entry) {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    target: BROWSERS,
    write: false,
    legalComments: "none",
    loader: { ".png": "empty" }, // pictures of Leaflet's own markers, which we don't use
    outdir: OUT,
    logLevel: "warning",
  });
  return result.outputFiles[0].text;
}

/** Licence texts of every package that is bundled. */
async function licences() {
  const { dependencies } = JSON.parse(await readFile("package.json", "utf8"));
  const parts = await Promise.all(
    Object.keys(dependencies).map(async (name) => {
      const folder = join("node_modules", name);
      const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
      return `${name} ${version} (${license})\n\n${await readFile(join(folder, "LICENSE"), "utf8")}`;
    }),
  );
  return `${parts.join("\n\n")}\n`;
}

const outputs = {
  "app.js": await bundle("src/js/app.js"),
  "app.css": await bundle("src/css/app.css"),
  "public.css": await bundle("src/css/public.css"),
  // Only pages with charts or a map load these.
  "charts.js": await bundle("src/js/charts.js"),
  "charts.css": await bundle("src/css/charts.css"),
  "map.js": await bundle("src/js/map.js"),
  "map.css": await bundle("src/css/map.css"),
  "province.json": await readFile("src/geo/province.json", "utf8"),
  "icons.svg": await iconSprite(),
  "favicon.svg": await readFile("src/favicon.svg", "utf8"),
  "licences.txt": await licences(),
};

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
const manifest = {};
for (const [name, content] of Object.entries(outputs)) {
  manifest[name] = hashedName(name, content);
  await writeFile(join(OUT, manifest[name]), content);
}
await writeFile(join(OUT, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
