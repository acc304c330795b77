// A chart as SVG: axes with numbers, lines, a marker at one x.

const SVG = "http://www.w3.org/2000/svg";
/** Pixels around the plot. */
const MARGIN = { top: 22, right: 14, bottom: 38, left: 52 };

/** An element of SVG with attributes. */
export function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Round numbers between two others, about as many as are wanted. */
export function ticks(from, to, wanted) {
  const rough = (to - from) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
  const numbers = [];
  for (let i = Math.ceil(from / step); i * step <= to; i += 1) numbers.push(i * step);
  return numbers;
}

/** A number with no more digits than a reader needs. */
export function number(x) {
  if (x === 0) return "0";
  const a = Math.abs(x);
  const text = a >= 1e5 || a < 1e-3 ? x.toExponential(0) : String(Number(x.toPrecision(4)));
  return text.replace("-", "−").replace("e+", "e");
}

/** Where the plot is in an element, and where numbers of x are in it. */
export function plot(svg, [from, to]) {
  const { width, height } = svg.getBoundingClientRect();
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  return {
    width,
    height,
    inner,
    toPixel: (x) => MARGIN.left + ((x - from) / (to - from)) * inner.width,
    fromPixel: (pixel) => from + ((pixel - MARGIN.left) / inner.width) * (to - from),
  };
}

/**
 * Draws.
 *
 * `lines` are `{ kind, points }`, the first on top; a point is [x, y], and a y that is no number is a gap. `y` has the ends of the
 * axis, what it is called, its numbers, and how they are written.
 */
export function draw(svg, { x, y, lines, marker, label }) {
  const { width, height, inner, toPixel } = plot(svg, x);
  if (inner.width <= 0 || inner.height <= 0) return;
  const [low, high] = y.range;
  const top = MARGIN.top;
  const bottom = top + inner.height;
  const right = MARGIN.left + inner.width;
  const toHeight = (value) => bottom - ((value - low) / (high - low)) * inner.height;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", label);
  svg.replaceChildren();
  const add = (name, attributes, text) => svg.append(element(name, attributes, text));

  for (const tick of y.ticks) {
    const at = toHeight(tick);
    add("line", { class: tick === 0 && y.axis ? "axis" : "grid", x1: MARGIN.left, x2: right, y1: at, y2: at });
    add("text", { x: MARGIN.left - 8, y: at + 4, "text-anchor": "end" }, y.write(tick));
  }
  for (const tick of ticks(x[0], x[1], Math.max(4, inner.width / 90))) {
    const at = toPixel(tick);
    add("line", { class: tick === 0 ? "axis" : "grid", x1: at, x2: at, y1: top, y2: bottom });
    add("text", { x: at, y: bottom + 17, "text-anchor": "middle" }, number(tick));
  }
  add("text", { x: right, y: bottom + 34, "text-anchor": "end" }, "x");
  add("text", { x: MARGIN.left - 8, y: 13, "text-anchor": "start" }, y.name);

  const clip = `${svg.id}-clip`;
  const mask = element("clipPath", { id: clip });
  mask.append(element("rect", { x: MARGIN.left, y: top - 2, width: inner.width, height: inner.height + 4 }));
  svg.append(mask);
  const inside = element("g", { "clip-path": `url(#${clip})` });
  svg.append(inside);
  // Far outside of the plot a line only has to leave it in the right direction.
  const near = (value) => Math.min(Math.max(value, low - 10 * (high - low)), high + 10 * (high - low));
  for (const { kind, points } of [...lines].reverse()) {
    let path = "";
    let open = false;
    for (const [px, py] of points) {
      if (Number.isNaN(py)) {
        open = false;
        continue;
      }
      path += `${open ? "L" : "M"}${toPixel(px).toFixed(2)} ${toHeight(near(py)).toFixed(2)}`;
      open = true;
    }
    inside.append(element("path", { class: `line line-${kind}`, d: path }));
  }
  const at = toPixel(marker.x);
  inside.append(element("line", { class: "marker", x1: at, x2: at, y1: top, y2: bottom }));
  for (const { kind, y: value } of [...marker.dots].reverse()) {
    if (Number.isFinite(value)) inside.append(element("circle", { class: `dot dot-${kind}`, cx: at, cy: toHeight(near(value)), r: 5 }));
  }
}

/** A list of lines and what they are, for an element of HTML. */
export function legend(list, lines) {
  list.replaceChildren(
    ...lines.map(([kind, text]) => {
      const item = document.createElement("li");
      const sample = element("svg", { viewBox: "0 0 32 12", "aria-hidden": "true" });
      sample.append(element("line", { class: `line line-${kind}`, x1: 0, x2: 32, y1: 6, y2: 6 }));
      item.append(sample, text);
      return item;
    }),
  );
}
