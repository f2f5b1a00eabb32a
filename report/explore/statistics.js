// Compute with the draws: which are selected, and what each configuration does over them. No drawing here.
"use strict";

function decoded(text, kind) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new kind(bytes.buffer);
}

function prepare(data) {
  const n = data.n, count = data.configurations.length;
  for (const p of data.parameters) {
    p.values = decoded(p.data, Float64Array);
    p.low = Infinity; p.high = -Infinity;
    for (const v of p.values) { if (v < p.low) p.low = v; if (v > p.high) p.high = v; }
    delete p.data;
  }
  for (const o of data.outcomes) { o.values = decoded(o.data, Float64Array); delete o.data; }
  for (const o of data.by_area) { o.values = decoded(o.data, Float32Array); o.area = true; delete o.data; }
  data.status = decoded(data.status, Int8Array);
  const total = data.outcomes.find((o) => o.name === "total_cost").values;
  data.best = new Int16Array(n).fill(-1);  // the cheapest plan of a draw in which all plans have finished
  const plans = [];
  for (let c = 0; c < count; c++) {
    if (!data.configurations[c].free && total.subarray(c * n, (c + 1) * n).some((v) => v === v)) plans.push(c);
  }
  data.plans = plans;
  for (let i = 0; i < n; i++) {
    let least = Infinity, place = -1;
    for (const c of plans) {
      const v = total[c * n + i];
      if (!(v === v)) { place = -1; break; }
      if (v < least) { least = v; place = c; }
    }
    data.best[i] = place;
  }
  return data;
}

// The draws within all ranges, as places; ranges: {parameter: [low, high]}, ends included.
function selected(data, ranges) {
  const n = data.n, keep = new Uint8Array(n).fill(1);
  for (const p of data.parameters) {
    const range = ranges[p.name];
    if (!range) continue;
    const [low, high] = range, values = p.values;
    for (let i = 0; i < n; i++) if (values[i] < low || values[i] > high) keep[i] = 0;
  }
  let size = 0;
  for (let i = 0; i < n; i++) size += keep[i];
  const places = new Int32Array(size);
  for (let i = 0, at = 0; i < n; i++) if (keep[i]) places[at++] = i;
  return { keep, places };
}

// Values of one outcome and configuration over the draws kept, sorted, the missing left out. The order of all draws is found
// once and kept, so that a brush sorts nothing.
function sorted(data, outcome, configuration, area, keep, most) {
  const n = data.n, areas = data.areas.length;
  const row = outcome.area ? configuration * areas + area : configuration, values = outcome.values.subarray(row * n, (row + 1) * n);
  outcome.orders ||= new Map();
  if (!outcome.orders.has(row)) {
    const there = new Int32Array(n);
    let size = 0;
    for (let i = 0; i < n; i++) if (values[i] === values[i]) there[size++] = i;
    outcome.orders.set(row, there.subarray(0, size).sort((a, b) => values[a] - values[b]));
  }
  const found = new Float64Array(most);
  let size = 0;
  for (const i of outcome.orders.get(row)) if (keep[i]) found[size++] = values[i];
  return found.subarray(0, size);
}

function meanAndMost(data, outcome, configuration, places) {
  const start = configuration * data.n;
  let sum = 0, count = 0, most = -Infinity;
  for (const i of places) {
    const v = outcome.values[start + i];
    if (v === v) { sum += v; count++; if (v > most) most = v; }
  }
  return count ? { mean: sum / count, most } : { mean: NaN, most: NaN };
}

function quantile(ordered, share) {  // numpy's "linear"
  if (!ordered.length) return NaN;
  const at = (ordered.length - 1) * share, low = Math.floor(at), high = Math.ceil(at);
  return ordered[low] + (ordered[high] - ordered[low]) * (at - low);
}

function described(ordered) {
  let sum = 0, above = 0;
  for (const v of ordered) { sum += v; if (v > 0) above++; }
  const n = ordered.length, mean = n ? sum / n : NaN;
  return { n, mean, low: quantile(ordered, 0.05), median: quantile(ordered, 0.5), high: quantile(ordered, 0.95),
    least: n ? ordered[0] : NaN, most: n ? ordered[n - 1] : NaN, above: n ? above / n : NaN };
}

// Share of the selected draws, of those in which all plans have finished, that each plan is cheapest in.
function cheapest(data, places) {
  const counts = new Float64Array(data.configurations.length);
  let judged = 0;
  for (const i of places) { const c = data.best[i]; if (c >= 0) { counts[c]++; judged++; } }
  return { judged, shares: Array.from(counts, (c) => (judged ? c / judged : NaN)) };
}

// Cells of the decision map: the plan of least mean total cost, its lead, and how many draws a cell has.
function decisionMap(data, a, b, places, groups) {
  const n = data.n, total = data.outcomes.find((o) => o.name === "total_cost").values;
  const axes = [a, b].map((p) => parted(p, groups)), width = axes[0].labels.length, height = axes[1].labels.length;
  const sums = data.plans.map(() => new Float64Array(width * height)), counts = new Int32Array(width * height);
  for (const i of places) {
    if (data.best[i] < 0) continue;
    const cell = axes[1].group[i] * width + axes[0].group[i];
    counts[cell]++;
    for (let k = 0; k < sums.length; k++) sums[k][cell] += total[data.plans[k] * n + i];
  }
  const cells = [];
  for (let cell = 0; cell < width * height; cell++) {
    if (!counts[cell]) continue;
    const means = sums.map((s) => s[cell] / counts[cell]), least = Math.min(...means), best = means.indexOf(least);
    const others = means.filter((_, k) => k !== best), gap = others.length ? Math.min(...others) - least : NaN;
    cells.push({ x: cell % width, y: Math.floor(cell / width), plan: data.plans[best], n: counts[cell], gap });
  }
  return { cells, labels: axes.map((axis) => axis.labels) };
}

function parted(p, groups) {
  if (p.parts && p.parts.groups === groups) return p.parts;
  const group = new Int16Array(p.values.length), labels = [];
  if (p.few.length) {
    p.few.forEach((v) => labels.push(p.texts.length ? p.texts[v] : String(Number(v.toPrecision(4)))));
    for (let i = 0; i < group.length; i++) group[i] = p.few.indexOf(p.values[i]);
  } else {
    const ordered = Float64Array.from(p.values).sort(), edges = [];
    for (let k = 0; k <= groups; k++) edges.push(quantile(ordered, k / groups));
    for (let k = 0; k < groups; k++) labels.push(`${short(edges[k])}–${short(edges[k + 1])}`);
    for (let i = 0; i < group.length; i++) {
      let k = 0;
      while (k < groups - 1 && p.values[i] >= edges[k + 1]) k++;
      group[i] = k;
    }
  }
  p.parts = { groups, group, labels };
  return p.parts;
}

function short(value) {
  if (!(value === value)) return "–";
  const size = Math.abs(value), digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 3;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
}
