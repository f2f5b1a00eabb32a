// The scatter of draws: each a dot of one image that is painted anew with every brush, and one of them the chosen draw.
"use strict";

const REACH = 24, SPREAD = 0.6, EDGE = 0.03;  // pixels that a click may be off; width of a column of few values; margin
const dots = { key: "", width: 0, height: 0, xs: null, ys: null, pixels: null, columns: [] };

const scatterChoices = () => [...data.parameters, ...data.outcomes].map((each) => ({ name: each.name,
  label: each.label.map((text, k) => text + (each.unit && each.unit[k] ? ` [${each.unit[k]}]` : "")) }));

// Values of a parameter, or of an outcome in the plan in focus, as places along an axis; NaN where missing.
function column(name) {
  const n = data.n, p = data.parameters.find((each) => each.name === name), found = new Float64Array(n);
  if (p && p.few.length) {
    for (let i = 0; i < n; i++) found[i] = p.few.indexOf(p.values[i]) + (((Math.imul(i + 1, 2654435761) >>> 0) / 4294967296) - 0.5) * SPREAD;
    return { values: found, low: -0.5, high: p.few.length - 0.5, ticks: p.few.map((v) => (p.texts.length ? p.texts[v] : String(Number(v.toPrecision(4))))), label: p.label[language], unit: p.unit[language] };
  }
  const o = p || data.outcomes.find((each) => each.name === name), start = p ? 0 : placeOf(state.plan) * n, scale = p ? 1 : money(o);
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < n; i++) { const v = (found[i] = o.values[start + i] * scale); if (v < low) low = v; if (v > high) high = v; }
  if (!(low <= high)) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - 1, high + 1];
  const edge = EDGE * (high - low);
  return { values: found, low: low - edge, high: high + edge, ticks: null, label: o.label[language] + (p ? "" : unit(o)), unit: p ? p.unit[language] : "" };
}

function scatterAxes() {  // where each draw lies in the image; only when axes, plan, language or size change
  const ratio = window.devicePixelRatio || 1, width = Math.round(Math.max(200, byId("drawing-scatter").clientWidth - 70) * ratio), height = Math.round(270 * ratio);
  const key = [state.sx, state.sy, state.plan, state.lang, width, height].join("|");
  if (key === dots.key) return;
  Object.assign(dots, { key, width, height, ratio, columns: [column(state.sx), column(state.sy)], pixels: new Uint32Array(width * height) });
  const [x, y] = dots.columns, at = (c, size) => Float32Array.from(c.values, (v) => ((v - c.low) / (c.high - c.low)) * size);
  dots.xs = at(x, width); dots.ys = at(y, height);
  models.scatter.x_range.setv({ start: x.low, end: x.high }); models.scatter.y_range.setv({ start: y.low, end: y.high });
  dots.columns.forEach((c, side) => {
    const axis = side ? models.scatter.left[0] : models.scatter.below[0];
    axis.axis_label = c.label + (c.unit ? ` [${c.unit}]` : "");
    axis.ticker.ticks = c.ticks ? c.ticks.map((_, k) => k) : roundTicks(c.low, c.high);
    axis.major_label_overrides = new Map((c.ticks || []).map((text, k) => [k, text]));
  });
}

function roundTicks(low, high) {  // some five round numbers
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].map((k) => k * power).find((each) => each >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

const packedColour = (text) => (0xff000000 | (parseInt(text.slice(5, 7), 16) << 16) | (parseInt(text.slice(3, 5), 16) << 8) | parseInt(text.slice(1, 3), 16)) >>> 0;

function scatterPaint(keep) {
  const { width, height, xs, ys, pixels } = dots, n = data.n, half = Math.max(1, Math.round(dots.ratio * (n < 500 ? 3 : n < 3000 ? 2 : 1)));
  const grey = packedColour(GREY), black = packedColour("#000000"), colours = data.colours.map(packedColour);
  pixels.fill(0);
  for (const inside of [0, 1]) {  // the selected ones on top
    for (let i = 0; i < n; i++) {
      if (keep[i] !== inside || !(xs[i] === xs[i]) || !(ys[i] === ys[i])) continue;
      const failed = data.best[i] < 0, size = failed ? half + 2 : half, colour = !inside ? grey : failed ? black : colours[data.best[i]];
      const cx = Math.floor(xs[i]), cy = Math.floor(ys[i]);
      for (let dy = -size; dy <= size; dy++) {
        const row = cy + dy;
        if (row < 0 || row >= height) continue;
        for (let dx = -size; dx <= size; dx++) {
          if (failed && Math.abs(dx) !== Math.abs(dy)) continue;
          const at = cx + dx;
          if (at >= 0 && at < width) pixels[row * width + at] = colour;
        }
      }
    }
  }
  const [x, y] = dots.columns, { ndarray } = Bokeh.require("core/util/ndarray");
  models["scatter-source"].data = { image: [ndarray(pixels.buffer.slice(0), { dtype: "uint32", shape: [height, width] })], x: [x.low], y: [y.low], dw: [x.high - x.low], dh: [y.high - y.low] };
}

function scatterRing() {
  const i = /^\d+$/.test(state.draw) ? Number(state.draw) : -1, [x, y] = dots.columns;
  const there = i >= 0 && x.values[i] === x.values[i] && y.values[i] === y.values[i];
  models["chosen-source"].data = there ? { x: [x.values[i]], y: [y.values[i]] } : { x: [], y: [] };
}

function nearestDraw(x, y) {  // of a place in the units of the axes; -1 where none is in reach
  const [a, b] = dots.columns, px = ((x - a.low) / (a.high - a.low)) * dots.width, py = ((y - b.low) / (b.high - b.low)) * dots.height;
  let found = -1, least = (REACH * dots.ratio) ** 2;
  for (let i = 0; i < data.n; i++) {
    const far = (dots.xs[i] - px) ** 2 + (dots.ys[i] - py) ** 2 - (last.keep[i] ? 1e-3 : 0);
    if (far < least) { least = far; found = i; }
  }
  return found;
}

// The next selected draw along an axis from the chosen one; step: 1, -1, or Infinity and -Infinity for the ends.
function neighbour(side, step) {
  const values = dots.columns[side].values, other = dots.columns[1 - side].values;
  const ordered = Array.from(last.places).filter((i) => values[i] === values[i] && other[i] === other[i]).sort((a, b) => values[a] - values[b] || a - b);
  if (!ordered.length) return -1;
  const now = ordered.indexOf(Number(state.draw)), to = now < 0 ? (step > 0 ? 0 : ordered.length - 1) : now + step;
  return ordered[Math.max(0, Math.min(ordered.length - 1, Number.isFinite(step) ? to : step > 0 ? ordered.length - 1 : 0))];
}

function choose(draw) {
  state.draw = String(draw);
  follow();
}

function scatterBegin() {
  const place = byId("drawing-scatter");
  place.onkeydown = (event) => {
    const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, 1], ArrowDown: [1, -1], Home: [0, -Infinity], End: [0, Infinity] };
    if (!(event.key in moves) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    settle();
    const found = neighbour(...moves[event.key]);
    if (found >= 0) choose(found);
  };
  byId("draw").onchange = () => {
    const typed = byId("draw").value;
    if (/^\d+$/.test(typed) && Number(typed) < data.n) choose(Number(typed)); else byId("draw").value = /^\d+$/.test(state.draw) ? state.draw : "";
  };
  byId("named").onchange = () => { if (byId("named").value) choose(byId("named").value); };
  window.addEventListener("resize", () => follow());
}
