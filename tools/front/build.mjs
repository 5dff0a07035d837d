// Joins static/css and static/js into what pages load. Usage: node build.mjs FOLDER, called by tools/assets.py.
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "..", "..", "static");

// The parts of Bootstrap in static/css/bootstrap are compiled from its own Sass files.
const bootstrap = {
  name: "bootstrap",
  setup(build) {
    build.onLoad({ filter: /\.scss$/ }, ({ path }) => {
      const { css } = sass.compile(path, {
        loadPaths: [join(here, "node_modules")],
        // Bootstrap 5 is written with @import and global functions, which Sass will drop one day.
        quietDeps: true,
        silenceDeprecations: ["import"],
      });
      return { contents: css, loader: "css" };
    });
  },
};

// Dark tokens hold on a screen, never on paper: for data-bs-theme="dark", and for "auto" where the system is dark.
const darkTwice = {
  name: "dark-twice",
  setup(build) {
    build.onLoad({ filter: /tokens[\\/]dark\.css$/ }, async ({ path }) => {
      const dark = await readFile(path, "utf8");
      const auto = dark.replaceAll('"dark"', '"auto"');
      const contents = `@media screen {${dark}} @media screen and (prefers-color-scheme: dark) {${auto}}`;
      return { contents, loader: "css" };
    });
  },
};

// The oldest browsers that know what our style sheets are written with: layers, :has() and the lh unit.
const target = ["chrome109", "firefox121", "safari16.4"];

const pages = await esbuild.build({
  entryPoints: {
    app: join(source, "js", "main.js"),
    portal: join(source, "css", "portal.css"),
    agents: join(source, "css", "agents.css"),
    assistant: join(source, "css", "assistant.css"),
  },
  bundle: true,
  minify: true,
  format: "esm",
  charset: "utf8",
  target,
  // Bootstrap's licence asks that its notice stays.
  legalComments: "inline",
  // Fonts are asked for by themselves: their addresses are written as seen from static/dist.
  external: [join(source, "vendor", "*")],
  outdir: join(source, "dist"),
  write: false,
  plugins: [bootstrap, darkTwice],
  logLevel: "warning",
});
// A script for other sites: no module, so that it finds its own element and leaves no names in their pages.
const widget = await esbuild.build({
  entryPoints: { widget: join(source, "js", "widget.js") },
  bundle: true,
  minify: true,
  format: "iife",
  charset: "utf8",
  target,
  outdir: join(source, "dist"),
  write: false,
  logLevel: "warning",
});
for (const { path, contents } of [...pages.outputFiles, ...widget.outputFiles])
  await writeFile(join(process.argv[2], basename(path)), contents);
