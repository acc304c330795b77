// The page: controls, two charts and a table of what the WebAssembly computes, and the comparison of digests.

import { draw, legend, number, plot, ticks } from "./chart.js";

const $ = (id) => document.getElementById(id);
/** Half of the range of x that is shown. */
const REACHES = [1, 2, 5, 10, 20, 50, 100, 120];
/** A result with so great an error has no right digit; greater errors are drawn here. */
const MOST = 1e8;
const LEAST = 0.1;
const PARTS = ["value", "derivative"];

// What Rust exports, with text and arrays instead of addresses.

async function load() {
  const { instance } = await WebAssembly.instantiateStreaming(fetch("browser.wasm"));
  const rust = instance.exports;
  const read = (length) => new TextDecoder().decode(new Uint8Array(rust.memory.buffer, rust.text_of(length), length));
  const array = (length) => new Float32Array(rust.memory.buffer, rust.numbers(), length).slice();
  return {
    describe: () => JSON.parse(read(rust.describe())),
    /** Empty, or what is wrong. */
    choose(text) {
      const bytes = new TextEncoder().encode(text);
      new Uint8Array(rust.memory.buffer, rust.text_of(bytes.length), bytes.length).set(bytes);
      return read(rust.choose());
    },
    curve(which, [from, to], count, gradient) {
      const flat = array(rust.curve(which, from, to, count, gradient));
      return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
    },
    errors: (part, [from, to], columns) => array(rust.errors(part, from, to, columns)),
    at: (part, x) => JSON.parse(read(rust.at(part, x))),
    digest: (part) => BigInt.asUintN(64, rust.digest(part)).toString(16).padStart(16, "0"),
  };
}

/** The committed digests: "gelu,value" to its text. */
async function committed() {
  const response = await fetch("digests.csv");
  const lines = (await response.text()).trim().split("\n").slice(1);
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(",")), line.slice(line.lastIndexOf(",") + 1)]));
}

const [rust, native] = await Promise.all([load(), committed()]).catch((error) => {
  $("problem").textContent = `The page could not be loaded: ${error.message}`;
  throw error;
});
const { level, functions } = rust.describe();

// What is chosen.

const state = { card: functions[0], values: {}, x: 0.7, gradient: 0.5, reach: 2, part: 0, drawn: functions[0].name };

/** The function as the crate's parser reads it. */
function text(card = state.card, values = state.values) {
  const parameters = card.parameters.map(({ name }) => `${name}=${values[name]}`);
  return parameters.length > 0 ? `${card.name}(${parameters.join(", ")})` : card.name;
}

function range() {
  const reach = REACHES[state.reach];
  return [-reach, reach];
}

function choose(name) {
  state.card = functions.find((card) => card.name === name) ?? functions[0];
  $("function").value = state.card.name;
  sliders();
  reset();
}

/** The parameters' defaults. */
function reset() {
  state.values = Object.fromEntries(state.card.parameters.map((parameter) => [parameter.name, parameter.default]));
  for (const { name } of state.card.parameters) show(name, state.values[name]);
  changed();
}

/** A slider and a box for each parameter. */
function sliders() {
  const { parameters } = state.card;
  $("parameters").hidden = parameters.length === 0;
  $("sliders").replaceChildren(
    ...parameters.map(({ name, allowed, low, high, step }) => {
      const row = document.createElement("div");
      row.className = "slider";
      const label = Object.assign(document.createElement("label"), { htmlFor: `p-${name}`, textContent: name });
      const slider = Object.assign(document.createElement("input"), { type: "range", id: `p-${name}` });
      Object.assign(slider, { min: low, max: high, step, title: allowed });
      const box = Object.assign(document.createElement("input"), { type: "number", step: "any", id: `p-${name}-number` });
      box.setAttribute("aria-label", `${name}, ${allowed}`);
      pair(slider, box, (value) => {
        state.values[name] = value;
        changed();
      });
      row.append(label, box, slider);
      return row;
    }),
  );
}

function show(name, value) {
  $(`p-${name}`).value = value;
  $(`p-${name}-number`).value = value;
}

/** A slider and a box that show the same number. */
function pair(slider, box, use) {
  slider.addEventListener("input", () => {
    box.value = Number(Number(slider.value).toPrecision(6));
    use(box.valueAsNumber);
  });
  box.addEventListener("input", () => {
    if (Number.isNaN(box.valueAsNumber)) return;
    slider.value = box.value;
    use(box.valueAsNumber);
  });
}

// What is shown.

let waiting = false;

/** Draws all of it, once before the next frame. */
function changed() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    show_all();
  });
}

function show_all() {
  const problem = rust.choose(text());
  $("problem").textContent = problem;
  // What is not allowed is not drawn: the last function that was allowed stays.
  if (problem === "") state.drawn = text();
  else rust.choose(state.drawn);
  // Browsers limit how often an address may change.
  if (location.hash !== `#${state.card.name}`) history.replaceState(null, "", `#${state.card.name}`);
  const { card } = state;
  const [value, derivative] = names();
  $("value").textContent = `${value} = ${card.formula.replace(/^\w+\(x\) = /, "")}`;
  $("derivative").textContent = `${derivative} = ${card.derivative}`;
  $("about").textContent = `Range: ${card.range.map(end).join(" to ")}. Use: ${card.use}. Source: ${card.source}.`;
  if (card.rows) $("about").textContent += " Here it is given the row (x, 0, 1), and its first result is drawn.";
  $("digest").disabled = card.rows;
  $("digest").textContent = card.rows ? "This function: only functions of one number" : `This function: ${card.name}`;
  $("reach-text").textContent = `${number(range()[0])} to ${number(range()[1])}`;
  const [from, to] = range();
  Object.assign($("x"), { min: from, max: to, step: to / 100 });
  state.x = Math.min(Math.max(state.x, from), to);
  $("x").value = state.x;
  if (document.activeElement !== $("x-number")) $("x-number").value = Number(state.x.toPrecision(6));
  curves();
  errors();
  table();
}

/** The end of a range, as people write it. */
function end(text) {
  return text.endsWith("inf") ? text.replace("inf", "∞").replace("-", "−") : number(Number(text));
}

/** What the three curves are called. */
function names() {
  return state.card.rows ? ["y[0]", "dy[0]/dx", "gradient of x"] : ["f(x)", "f′(x)", "gradient of x"];
}

function curves() {
  const lines = names().map((_, which) => ({ kind: which, points: rust.curve(which, range(), 601, state.gradient) }));
  const here = lines.map(({ kind }) => ({ kind, y: rust.curve(kind, [state.x, state.x], 2, state.gradient)[0][1] }));
  const reach = REACHES[state.reach];
  const shown = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite);
  const low = Math.max(-reach, shown.reduce((a, b) => Math.min(a, b), 0));
  const high = Math.min(reach, shown.reduce((a, b) => Math.max(a, b), 0));
  const edge = 0.06 * (high - low) || 1;
  const ends = [low - edge, high + edge];
  legend($("curves-legend"), [
    [0, names()[0]],
    [1, names()[1]],
    [2, `${names()[2]}, for an incoming gradient of ${number(state.gradient)}`],
  ]);
  draw($("curves"), {
    x: range(),
    y: { range: ends, ticks: ticks(...ends, 6), write: number, name: "y", axis: true },
    lines,
    marker: { x: state.x, dots: here },
    label: `${state.drawn} over x, with its derivative and its gradient`,
  });
  const numbers = here.map(({ kind, y }) => `${names()[kind]} = ${exactly(y)}`);
  const pieces = [`x = ${exactly(Math.fround(state.x))}`, ...numbers].map((textContent) => Object.assign(document.createElement("span"), { textContent }));
  $("reading").replaceChildren(...pieces.flatMap((piece, i) => (i === 0 ? [piece] : ["; ", piece])));
}

/** An f32 with as few digits as tell it from its neighbours. */
function exactly(x) {
  const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((count) => Number(x.toPrecision(count)));
  const shortest = digits.find((decimal) => Math.fround(decimal) === x) ?? x;
  return String(shortest).replaceAll("-", "−").replace("e+", "e");
}

function errors() {
  const { card, part } = state;
  const columns = Math.max(60, Math.min(240, Math.round(plot($("errors"), range()).inner.width / 3)));
  const both = rust.errors(part, range(), columns);
  const width = (range()[1] - range()[0]) / columns;
  const height = (error) => Math.log10(Math.min(Math.max(error, LEAST), MOST));
  const points = (errors) => Array.from(errors, (error, i) => [range()[0] + (i + 0.5) * width, height(error)]);
  const [ours, theirs] = [both.subarray(0, columns), both.subarray(columns)];
  const bound = card.bounds[part];
  const worst = (errors) => {
    const most = errors.reduce((a, b) => Math.max(a, b), 0);
    return most < MOST ? `${number(Number(most.toPrecision(3)))} ULP at most` : "no right digit at worst";
  };
  const lines = [
    [0, `this crate: ${worst(ours)}`],
    [1, `textbook: ${worst(theirs)}`],
    [2, `this crate’s bound${card.parameters.length > 0 ? " with defaults" : ""}: ${number(bound)} ULP`],
  ];
  legend($("errors-legend"), lines);
  draw($("errors"), {
    x: range(),
    y: {
      range: [Math.log10(LEAST) - 0.15, Math.log10(MOST) + 0.15],
      ticks: [-1, 0, 2, 4, 6, 8],
      write: (exponent) => ({ [-1]: "≤ 0.1", 0: "1", 2: "100", 8: "≥ 1e8" })[exponent] ?? `1e${exponent}`,
      name: "ULP",
      axis: false,
    },
    lines: [
      { kind: 0, points: points(ours) },
      { kind: 1, points: points(theirs) },
      { kind: 2, points: range().map((x) => [x, height(bound)]) },
    ],
    marker: { x: state.x, dots: [] },
    label: `errors of ${state.drawn}, ${PARTS[part]}, over x: ${lines.map(([, text]) => text).join("; ")}`,
  });
}

function table() {
  const x = Math.fround(state.x);
  $("at").caption.textContent = `${PARTS[state.part]} at x = ${exactly(x)}`;
  const rows = rust.at(state.part, x).map(([what, result, ulp]) => {
    const row = document.createElement("tr");
    const head = Object.assign(document.createElement("th"), { scope: "row", textContent: what });
    row.append(head);
    for (const cell of [result, ulp]) row.append(Object.assign(document.createElement("td"), { textContent: cell }));
    return row;
  });
  $("at").tBodies[0].replaceChildren(...rows);
}

// Digests.

/** Lets the page draw and take input. */
const pause = () => new Promise((resolve) => setTimeout(resolve));

async function compare(cards) {
  const status = $("digest-status");
  const body = $("digest-table").tBodies[0];
  const buttons = [$("digest"), $("digest-all")];
  const pressed = document.activeElement;
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  body.replaceChildren();
  $("digest-scroll").hidden = false;
  const start = performance.now();
  let equal = 0;
  let count = 0;
  for (const card of cards) {
    for (const [part, name] of PARTS.entries()) {
      status.className = "";
      status.textContent = `computing ${card.name}, ${name}: a million inputs`;
      await pause();
      const defaults = Object.fromEntries(card.parameters.map((parameter) => [parameter.name, parameter.default]));
      rust.choose(text(card, defaults));
      const here = rust.digest(part);
      const there = native.get(`${card.name},${name}`) ?? "none";
      const same = here === there;
      count += 1;
      equal += Number(same);
      const row = body.insertRow();
      row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: `${card.name}, ${name}` }));
      for (const cell of [here, there, same ? "equal" : "DIFFERENT"]) row.insertCell().textContent = cell;
      row.lastChild.className = same ? "equal" : "different";
      $("digest-scroll").scrollTop = $("digest-scroll").scrollHeight;
    }
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  status.textContent = `${equal} of ${count} digests equal the native ones, in ${seconds} s`;
  status.className = equal === count ? "equal" : "different";
  for (const button of buttons) button.removeAttribute("aria-disabled");
  pressed?.focus();
  changed();
}

function on_press(button, cards) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") compare(cards());
  });
}

// What people do.

$("level").textContent = level;
$("function").append(...functions.map(({ name }) => new Option(name, name)));
$("function").disabled = false;
$("function").addEventListener("change", () => choose($("function").value));
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("defaults").addEventListener("click", reset);
pair($("x"), $("x-number"), (x) => {
  state.x = x;
  changed();
});
pair($("gradient"), $("gradient-number"), (gradient) => {
  state.gradient = gradient;
  changed();
});
$("reach").addEventListener("input", () => {
  state.reach = $("reach").valueAsNumber;
  changed();
});
for (const radio of document.querySelectorAll("input[name=part]")) {
  radio.addEventListener("change", () => {
    state.part = Number(radio.value);
    changed();
  });
}
for (const svg of [$("curves"), $("errors")]) {
  const move = (event) => {
    if (event.buttons !== 1) return;
    const pixel = event.clientX - svg.getBoundingClientRect().left;
    state.x = Math.min(Math.max(plot(svg, range()).fromPixel(pixel), range()[0]), range()[1]);
    changed();
  };
  svg.addEventListener("pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    move(event);
  });
  svg.addEventListener("pointermove", move);
}
on_press($("digest"), () => [state.card]);
on_press($("digest-all"), () => functions.filter((card) => !card.rows));
window.addEventListener("hashchange", () => choose(location.hash.slice(1)));
new ResizeObserver(changed).observe($("curves"));

for (const [id, value] of [["gradient", state.gradient], ["gradient-number", state.gradient], ["reach", state.reach]]) $(id).value = value;
choose(location.hash.slice(1) || "gelu");
