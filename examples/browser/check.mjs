// Tests the page in Chromium: serves it, clicks, types and reads. Needs Node and Chromium, and no package.
//
//   node check.mjs                 tests
//   node check.mjs --pictures      tests, and writes pictures/light.png and pictures/dark.png
//
// CHROMIUM names the browser, if it is not found. Chromium is driven over a pipe, by its DevTools protocol.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const folder = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const DEADLINE = 120_000;

/** Resolves when the condition, an expression of the page, gives something true: that. */
async function until(condition) {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const value = await run(condition);
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${DEADLINE / 1000} s for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// The server, which compiles the page first.

const server = spawn("cargo", ["run", "--release", "--locked", "--manifest-path", join(folder, "Cargo.toml"), "--", "--port", "0"], {
  stdio: ["ignore", "pipe", "inherit"],
});
const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
let address;
while (!address) {
  const { value, done } = await lines.next();
  if (done) throw new Error("the server has ended");
  address = value.match(/^http:\S+$/)?.[0];
}

// The browser.

const names = [process.env.CHROMIUM, "chromium", "chromium-browser", "google-chrome"].filter(Boolean);
const browser = names.find((name) => spawnSync(name, ["--version"]).status === 0);
if (!browser) throw new Error(`no browser among ${names.join(", ")}`);
const profile = await mkdtemp(join(tmpdir(), "browser-"));
const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const chromium = spawn(
  browser,
  ["--headless=new", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "--no-first-run", "--disable-gpu", "--hide-scrollbars", ...sandbox, "about:blank"],
  { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
);
const [, , , to, from] = chromium.stdio;
const asked = new Map();
const complaints = [];
let last = 0;
let session;
let received = "";
from.setEncoding("utf8");
from.on("data", (data) => {
  const messages = (received + data).split("\0");
  received = messages.pop();
  for (const { id, result, error, method, params } of messages.map((message) => JSON.parse(message))) {
    if (id) {
      const { resolve, reject } = asked.get(id);
      asked.delete(id);
      if (error) reject(new Error(error.message));
      else resolve(result);
    }
    if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.exception?.description);
    if (method === "Log.entryAdded") complaints.push(params.entry.text);
  }
});

// What was asked of a browser that has ended fails.
chromium.once("exit", () => {
  for (const { reject } of asked.values()) reject(new Error("the browser has ended"));
});

function send(method, params = {}) {
  last += 1;
  to.write(`${JSON.stringify({ id: last, method, params, sessionId: session })}\0`);
  return new Promise((resolve, reject) => asked.set(last, { resolve, reject }));
}

/** The value of an expression of the page, after its promises. */
async function run(expression) {
  const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
  return result.value;
}

/** After the page has drawn. */
const drawn = () => run("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");

const textOf = (selector) => run(`document.querySelector(${JSON.stringify(selector)}).textContent`);
const valueOf = (selector) => run(`document.querySelector(${JSON.stringify(selector)}).value`);
const curve = (kind) => run(`document.querySelector("#curves path.line-${kind}").getAttribute("d")`);

/** The middle of an element, in the window. */
async function middle(selector) {
  return run(`(() => {
    const element = document.querySelector(${JSON.stringify(selector)});
    element.scrollIntoView({ block: "center" });
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2, width };
  })()`);
}

async function mouse(type, x, y) {
  await send("Input.dispatchMouseEvent", { type, x, y, button: "left", buttons: type === "mouseReleased" ? 0 : 1, clickCount: 1 });
}

async function click(selector) {
  const { x, y } = await middle(selector);
  await mouse("mousePressed", x, y);
  await mouse("mouseReleased", x, y);
  await drawn();
}

/** Presses on an element, and moves sideways by a part of its width. */
async function drag(selector, part) {
  const { x, y, width } = await middle(selector);
  await mouse("mousePressed", x, y);
  for (const step of [0.25, 0.5, 0.75, 1]) await mouse("mouseMoved", x + step * part * width, y);
  await mouse("mouseReleased", x + part * width, y);
  await drawn();
}

const KEYS = { Tab: 9, ArrowLeft: 37, ArrowRight: 39, ArrowDown: 40, " ": 32, Home: 36 };

async function press(key, modifiers = 0) {
  const common = { key, code: key === " " ? "Space" : key, windowsVirtualKeyCode: KEYS[key], modifiers };
  await send("Input.dispatchKeyEvent", { type: "keyDown", ...common, text: key === " " ? " " : undefined });
  await send("Input.dispatchKeyEvent", { type: "keyUp", ...common });
  await drawn();
}

async function type(selector, text) {
  await middle(selector);
  await run(`(() => { const box = document.querySelector(${JSON.stringify(selector)}); box.focus(); box.select(); })()`);
  await send("Input.insertText", { text });
  await drawn();
}

async function choose(name) {
  await run(`(() => {
    const select = document.querySelector("#function");
    select.value = ${JSON.stringify(name)};
    select.dispatchEvent(new Event("change", { bubbles: true }));
  })()`);
  await drawn();
}

/** The table of numbers at x, by what computed them. */
async function table() {
  const rows = await run('Array.from(document.querySelectorAll("#at tbody tr"), (row) => Array.from(row.cells, (cell) => cell.textContent))');
  return Object.fromEntries(rows.map(([what, result, ulp]) => [what, { result: Number(result), ulp }]));
}

async function size(width, height, mobile) {
  await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: mobile ? 2 : 1, mobile });
  await drawn();
}

async function scheme(value) {
  await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
  await drawn();
}

async function open(hash = "") {
  await send("Page.navigate", { url: "about:blank" });
  await send("Page.navigate", { url: address + hash });
  await until('document.querySelector("#function")?.disabled === false && document.querySelector("#curves path") !== null');
}

// What is tested.

const committed = (await readFile(join(folder, "digests.csv"), "utf8")).trim().split("\n").slice(1);

const tests = {
  async "every function of the crate has curves, numbers and errors"() {
    const all = await run('Array.from(document.querySelector("#function").options, (option) => option.value)');
    const ofNumbers = new Set(committed.map((line) => line.split(",")[0]));
    assert.ok(all.length > ofNumbers.size && [...ofNumbers].every((name) => all.includes(name)));
    for (const name of all) {
      await choose(name);
      assert.equal(await textOf("#problem"), "", name);
      const reading = await textOf("#reading");
      assert.match(reading, /^x = 0\.7;/, name);
      assert.ok(!/NaN|undefined|Infinity/.test(reading), reading);
      for (const kind of [0, 1, 2]) assert.match(await curve(kind), /^M[\d.]+ /, `${name}, curve ${kind}`);
      const { "this crate, f32": ours, "this crate, f64": exact, "textbook, f64": textbook, ...others } = await table();
      assert.ok(Math.abs(ours.result - exact.result) <= 1e-6, name);
      assert.ok(Math.abs(textbook.result - exact.result) <= 1e-9, name);
      assert.equal("Exact, f32" in others, ofNumbers.has(name), name);
      if (ofNumbers.has(name)) assert.ok(Number(others["Exact, f32"].ulp) <= 0.5, name);
    }
    return `${all.length} functions`;
  },

  async "numbers at an x that is typed are GELU's"() {
    await choose("gelu");
    await type("#x-number", "-1");
    assert.match(await textOf("#reading"), /^x = −1; f\(x\) = −0\.15865526; f′\(x\) = −0\.0833154/);
    // With 20 digits, of the normal distribution.
    assert.ok(Math.abs((await table())["this crate, f64"].result - -0.15865525393145705) < 1e-16);
    assert.equal(await valueOf("#x"), "-1");
    return await textOf("#reading");
  },

  async "a gradient is the derivative times the incoming gradient"() {
    await type("#gradient-number", "-2");
    const [slope, gradient] = (await textOf("#reading")).match(/= [−\d.e]+/g).slice(2).map((text) => Number(text.slice(2).replaceAll("−", "-")));
    assert.equal(Math.fround(gradient), -2 * Math.fround(slope));
  },

  async "a pointer on the chart moves x"() {
    await drag("#curves", 0.25);
    const x = Number(await valueOf("#x-number"));
    assert.ok(2 < x && x < 3, `x = ${x}`);
  },

  async "a parameter is dragged, and moved by arrow keys"() {
    await choose("elu");
    const before = await curve(0);
    await drag("#p-alpha", -0.3);
    const alpha = Number(await valueOf("#p-alpha-number"));
    assert.ok(alpha < 0.5, `alpha = ${alpha}`);
    assert.notEqual(await curve(0), before);
    await press("ArrowRight");
    assert.ok(Math.abs(Number(await valueOf("#p-alpha-number")) - alpha - 0.01) < 1e-9);
    await click("#defaults");
    assert.equal(await curve(0), before);
    assert.equal(await valueOf("#p-alpha"), "1");
  },

  async "the crate says what is wrong with a parameter, and the curve stays"() {
    await choose("hard_tanh");
    const before = await curve(0);
    await type("#p-min-number", "2");
    const problem = await textOf("#problem");
    assert.match(problem, /hard_tanh: `max` is 1, but must be above `min`/);
    assert.equal(await curve(0), before);
    await type("#x-number", "-0.25");
    assert.match(await textOf("#reading"), /^x = −0\.25; f\(x\) = −0\.25;/);
    await click("#defaults");
    assert.equal(await textOf("#problem"), "");
    return problem;
  },

  async "the errors of a derivative are shown beside the textbook's"() {
    await choose("tanh");
    await run('document.querySelector("input[name=part]").focus()');
    await press("ArrowRight");
    const label = await run('document.querySelector("#errors").getAttribute("aria-label")');
    const [ours, theirs] = [/this crate: ([\d.]+) ULP/, /textbook: ([\d.e]+) ULP/].map((form) => Number(label.match(form)?.[1]));
    assert.ok(ours < 4 && theirs > 1e4, label);
    assert.match(await textOf("#at caption"), /^derivative at x/);
    await press("ArrowLeft");
    return label;
  },

  async "the address names the function"() {
    await run('location.hash = "#mish"');
    await until('document.querySelector("#function").value === "mish"');
    await open("#snake");
    assert.equal(await valueOf("#function"), "snake");
  },

  async "a digest of Exact over a million inputs equals the native one"() {
    await choose("gelu");
    await click("#digest");
    const status = await until('/^\\d+ of \\d+/.test(document.querySelector("#digest-status").textContent) && document.querySelector("#digest-status").textContent');
    assert.match(status, /^2 of 2 digests equal/);
    return (await rows()).map((row) => row.join(" ")).join("; ");
  },

  async "all digests equal the native ones"() {
    await click("#digest-all");
    const form = `^${committed.length} of ${committed.length} digests equal`;
    await until('document.querySelector("#digest-table").tBodies[0].rows.length > 2');
    const status = await until('/^\\d+ of \\d+/.test(document.querySelector("#digest-status").textContent) && document.querySelector("#digest-status").textContent');
    assert.match(status, new RegExp(form));
    for (const [i, [what, here, there, verdict]] of (await rows()).entries()) {
      assert.equal(`${what.replace(", ", ",")},${here}`, committed[i]);
      assert.deepEqual([there, verdict], [here, "equal"]);
    }
    return status;
  },

  async "Tab goes through all controls, in the order in which they stand, and shows where it is"() {
    await open("#elu");
    const visited = [];
    for (let i = 0; i < 14; i += 1) {
      await press("Tab");
      const [id, outline] = await run("[document.activeElement.id || document.activeElement.name || null, getComputedStyle(document.activeElement).outlineStyle]");
      if (id === null) break;
      assert.equal(outline, "solid", id);
      visited.push(id);
    }
    const order = ["function", "p-alpha-number", "p-alpha", "defaults", "x-number", "x", "gradient-number", "gradient", "reach", "part", "digest", "digest-all"];
    assert.deepEqual(visited, order);
    await run('document.querySelector("#reach").focus()');
    await press("ArrowLeft");
    assert.equal(await textOf("#reach-text"), "−2 to 2");
    await run('document.querySelector("#function").focus()');
    await press("ArrowDown");
    assert.equal(await valueOf("#function"), "selu");
    return visited.join(" ");
  },

  async "everything that takes focus, and every picture, has a name"() {
    await choose("elu");
    const { nodes } = await send("Accessibility.getFullAXTree");
    const focusable = ({ properties = [] }) => properties.some(({ name, value }) => name === "focusable" && value.value);
    const named = nodes.filter((node) => !node.ignored && (focusable(node) || node.role?.value === "image") && node.role?.value !== "RootWebArea");
    const nameless = named.filter(({ name }) => !name?.value).map(({ role }) => role.value);
    assert.deepEqual(nameless, []);
    return `${named.length} of them`;
  },

  async "text and lines stand out, in light and in dark"() {
    const backgrounds = {};
    for (const name of ["light", "dark"]) {
      await scheme(name);
      const colours = await run(`(() => {
        const probe = document.body.appendChild(document.createElement("i"));
        const names = ["page", "raised", "ink", "soft", "edge", "focus", "good", "bad", "line-0", "line-1", "line-2"];
        const colours = names.map((name) => {
          probe.style.color = \`var(--\${name})\`;
          return [name, getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(Number)];
        });
        probe.remove();
        return colours;
      })()`);
      const { page, raised, ...others } = Object.fromEntries(colours);
      backgrounds[name] = luminance(page);
      for (const [what, colour] of Object.entries(others)) {
        const least = ["ink", "soft", "good", "bad"].includes(what) ? 4.5 : 3;
        for (const behind of [page, raised]) assert.ok(contrast(colour, behind) >= least, `${name}: ${what} ${contrast(colour, behind)}`);
      }
    }
    assert.ok(backgrounds.light > 0.9 && backgrounds.dark < 0.05);
    await scheme("light");
  },

  async "nothing is wider than a phone"() {
    await size(360, 740, true);
    await choose("leaky_relu");
    await click("#digest");
    await until('/^2 of 2/.test(document.querySelector("#digest-status").textContent)');
    assert.ok(await run('(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector("#digest-scroll"))'), "digests");
    for (const name of ["gelu_tanh", "xielu", "clipped_gelu", "sparsemax"]) {
      await choose(name);
      assert.ok(await run("document.scrollingElement.scrollWidth <= window.innerWidth"), name);
      const wide = await run('Array.from(document.querySelectorAll("main *")).filter((e) => !e.closest(".scroll") && !e.closest("svg") && e.getBoundingClientRect().right > window.innerWidth + 0.5).map((e) => e.id || e.tagName)');
      assert.deepEqual(wide, [], name);
      const small = await run('Array.from(document.querySelectorAll("button, select, input[type=range]")).filter((e) => e.offsetParent && e.getBoundingClientRect().height < 24).map((e) => e.id)');
      assert.deepEqual(small, [], name);
    }
    await size(1200, 900, false);
  },

  async "labels of charts do not overlap"() {
    for (const [width, mobile] of [[1200, false], [360, true]]) {
      await size(width, 900, mobile);
      for (const name of ["gelu", "exponential", "clipped_gelu", "hard_sigmoid"]) {
        await choose(name);
        const overlapping = await run(`["curves", "errors"].flatMap((id) => {
          const texts = Array.from(document.querySelectorAll("#" + id + " text"), (e) => [e.textContent, e.getBoundingClientRect()]);
          return texts.flatMap(([a, r], i) => texts.slice(i + 1).filter(([, s]) => r.left < s.right && s.left < r.right && r.top < s.bottom && s.top < r.bottom).map(([b]) => id + ": " + a + " and " + b));
        })`);
        assert.deepEqual(overlapping, [], `${name}, ${width} pixels`);
      }
    }
    await size(1200, 900, false);
  },
};

const rows = () => run('Array.from(document.querySelectorAll("#digest-table tbody tr"), (row) => Array.from(row.cells, (cell) => cell.textContent))');

/** WCAG's relative luminance, and the contrast of two colours. */
function luminance(colour) {
  const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** The whole page. */
async function picture(name) {
  const { data } = await send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
  await writeFile(join(folder, "pictures", `${name}.png`), Buffer.from(data, "base64"));
}

async function pictures() {
  for (const [name, width] of [["light", 1000], ["dark", 380]]) {
    await scheme(name);
    await size(width, 900, false);
    await open("#gelu");
    await type("#x-number", "-2.5");
    await click("#digest");
    await until('/^2 of 2/.test(document.querySelector("#digest-status").textContent)');
    await run("document.activeElement.blur(); window.scrollTo(0, 0)");
    await size(width, await run("Math.ceil(document.body.getBoundingClientRect().bottom)"), false);
    await picture(name);
  }
}

let failed = 0;
try {
  const { targetInfos } = await send("Target.getTargets");
  const { targetId } = targetInfos.find(({ type }) => type === "page");
  ({ sessionId: session } = await send("Target.attachToTarget", { targetId, flatten: true }));
  for (const domain of ["Page", "Runtime", "Log", "Accessibility"]) await send(`${domain}.enable`);
  await size(1200, 900, false);
  await scheme("light");
  await open();
  const wasm = (await (await fetch(`${address}browser.wasm`)).arrayBuffer()).byteLength;
  console.log(`${(await (send("Browser.getVersion"))).product}; browser.wasm has ${wasm} bytes; level ${await textOf("#level")}`);
  for (const [name, test] of Object.entries(tests)) {
    try {
      const found = await test();
      assert.deepEqual(complaints.splice(0), [], "errors in the console");
      console.log(`ok: ${name}${found ? `\n    ${found}` : ""}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED: ${name}\n${error.stack}`);
    }
  }
  if (process.argv.includes("--pictures")) await pictures();
} finally {
  server.kill();
  const ended = new Promise((resolve) => (chromium.exitCode === null && chromium.signalCode === null ? chromium.once("exit", resolve) : resolve()));
  // Its answer may be cut off by its end.
  send("Browser.close").catch(() => {});
  const patience = setTimeout(() => chromium.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(patience);
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
console.log(failed === 0 ? `all ${Object.keys(tests).length} tests passed` : `${failed} tests FAILED`);
process.exitCode = failed === 0 ? 0 : 1;
