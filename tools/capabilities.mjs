// What wpgate.wasm may ask of its host and offer to it (proto/wasm-interface.json), as Envoy enforces it: writes the block
// `allowed_capabilities` of deploy/envoy. A callback that is missing there is never called, and nothing says so.
//   node tools/capabilities.mjs            writes the block
//   node tools/capabilities.mjs --check    compares the block, and the built module, with the list
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FILE = "deploy/envoy/extension-config.yaml";
const MODULE = "filter/build/wpgate.wasm";
const BEGIN = "# Generated from proto/wasm-interface.json by tools/capabilities.mjs.\n";
const END = "# End of what is generated.\n";

const { imports, exports } = JSON.parse(readFileSync(join(ROOT, "proto/wasm-interface.json"), "utf8"));
const text = readFileSync(join(ROOT, FILE), "utf8");
const current = withBlock(text);

if (process.argv.includes("--check")) {
  const faults = [...(current === text ? [] : [`${FILE} is not current`]), ...differences()];
  if (faults.length > 0) {
    process.stderr.write(`wpgate: error: ${faults.join("; ")}\n`);
    process.stderr.write("wpgate: hint: edit proto/wasm-interface.json, then run npm run generate\n");
    process.exitCode = 1;
  }
} else writeFileSync(join(ROOT, FILE), current);

/** The file with the block between its two comments, indented as they are. */
function withBlock(file) {
  const begin = file.indexOf(BEGIN);
  const end = file.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${FILE} lacks the comments around the block`);
  const indent = " ".repeat(begin - file.lastIndexOf("\n", begin) - 1);
  const names = [...Object.values(imports).flat(), ...exports].filter((name) => name !== "memory").toSorted();
  const lines = [
    "capability_restriction_config:",
    "  allowed_capabilities:",
    ...names.map((name) => `    ${name}: {}`),
  ].map((line) => `${indent}${line}\n`);
  return `${file.slice(0, begin + BEGIN.length)}${lines.join("")}${indent}${file.slice(end)}`;
}

/** What the module has and the list has not, and the other way round. */
function differences() {
  const module = new WebAssembly.Module(readFileSync(join(ROOT, MODULE)));
  const listed = Object.entries(imports).flatMap(([from, names]) => names.map((name) => `${from}.${name}`));
  const imported = WebAssembly.Module.imports(module).map(({ module: from, name }) => `${from}.${name}`);
  const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
  return [...compare("imports", imported, listed), ...compare("exports", exported, exports)];
}

function compare(what, actual, listed) {
  const unlisted = actual.filter((name) => !listed.includes(name));
  const missing = listed.filter((name) => !actual.includes(name));
  return [
    ...unlisted.map((name) => `${MODULE} ${what} ${name}, which is not listed`),
    ...missing.map((name) => `${MODULE} no longer ${what} ${name}`),
  ];
}
