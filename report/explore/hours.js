// The hours of the chosen draw: those that the page carries, else what the program behind a served page solves.
"use strict";

const GAP = 3;  // hours left free between two days
const HATCHES = { right_diagonal_line: "repeating-linear-gradient(135deg, #333 0 1px, transparent 1px 5px)", left_diagonal_line: "repeating-linear-gradient(45deg, #333 0 1px, transparent 1px 5px)",
  diagonal_cross: "repeating-linear-gradient(45deg, #333 0 1px, transparent 1px 4px), repeating-linear-gradient(135deg, #333 0 1px, transparent 1px 4px)",
  cross: "repeating-linear-gradient(0deg, #333 0 1px, transparent 1px 4px), repeating-linear-gradient(90deg, #333 0 1px, transparent 1px 4px)",
  horizontal_line: "repeating-linear-gradient(0deg, #333 0 1px, transparent 1px 4px)" };
const solved = new Map();  // "draw plan" -> hours; null while the program works on them
const hourKey = () => `${state.draw} ${state.plan}`;
const namedDraw = (draw) => (data.hourly ? data.hourly.named.find((each) => each.draw === draw) : undefined);

function take(record) {
  const found = { ...record };
  if (record.data) {
    found.values = {};
    for (const each of data.hourly.series) found.values[each.name] = decoded(record.data[each.name], Uint16Array);
    delete found.data;
  }
  solved.set(`${record.draw} ${record.configuration}`, found);
}

// One series of an area (-1: of the country) as GW, hour after hour of the given days.
function hoursOf(record, name, area, days) {
  const count = record.days.length, found = new Float64Array(days.length * 24), areas = area < 0 ? record.areas.map((_, a) => a) : [area];
  const add = (series, sign) => {
    for (const a of areas) days.forEach((d, k) => {
      for (let h = 0; h < 24; h++) found[k * 24 + h] += (sign * record.steps[series] * record.values[series][(a * count + d) * 24 + h]) / 1000;
    });
  };
  if (name === "import" || name === "export") {  // of several areas together: what they send each other is no import
    const sign = name === "import" ? 1 : -1;
    add("import", sign); add("export", -sign);
    return found.map((v) => (v > areas.length * 0.00051 ? v : 0));  // what rounding leaves is none either
  }
  add(name, 1);
  return found;
}

function stacked(record, area, days) {
  const values = {}, layers = {}, size = days.length * 24, up = new Float64Array(size), down = new Float64Array(size);
  for (const each of data.hourly.series) values[each.name] = hoursOf(record, each.name, area, days);
  for (const each of data.hourly.series) {
    if (each.shown === "line") continue;
    const below = each.shown === "down", base = below ? down : up, low = new Float64Array(size), high = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const v = values[each.name][i], from = base[i];
      base[i] = below ? from - v : from + v;
      low[i] = Math.min(from, base[i]); high[i] = Math.max(from, base[i]);
    }
    layers[each.name] = [low, high];
  }
  const whole = values.demand.map((v, i) => v + values.dc_load[i]);
  return { values, layers, lines: { demand: values.demand, dc_load: whole }, most: Math.max(...up, ...whole), least: Math.min(...down) };
}

// Both ends of each of a day's hours, and before and after them what is outside: nothing is drawn between days.
const ends = (values, outside) => [outside, ...Array.from({ length: 48 }, (_, i) => values[i >> 1]), outside];

function draw(record) {
  const area = record.areas.indexOf(state.in), days = state.day === "" ? record.days.map((_, d) => d) : [Number(state.day)];
  const shown = stacked(record, area, days), found = { text: days.flatMap((d, k) => ends(Array.from({ length: 24 }, (_, h) => told(record, shown, d, k, h)), "")) };
  found.x = days.flatMap((_, k) => [k * (24 + GAP), ...Array.from({ length: 48 }, (_, i) => k * (24 + GAP) + Math.ceil(i / 2)), k * (24 + GAP) + 24]);
  const put = (name, values, outside) => { found[name] = days.flatMap((_, k) => ends(values.subarray(k * 24, k * 24 + 24), outside)); };
  for (const [name, [low, high]] of Object.entries(shown.layers)) { put(`low_${name}`, low, 0); put(`high_${name}`, high, 0); }
  for (const [name, values] of Object.entries(shown.lines)) put(name, values, NaN);
  models["hours-source"].data = found;
  let { most, least } = shown;
  for (const other of solved.values()) {  // one scale for all plans of a draw
    if (!other || other === record || other.draw !== record.draw || !other.values) continue;
    const its = stacked(other, area, days);
    most = Math.max(most, its.most); least = Math.min(least, its.least);
  }
  const { x_range, y_range, below, left } = models.hours, one = days.length === 1, ticks = one ? [0, 3, 6, 9, 12, 15, 18, 21, 24] : days.map((_, k) => k * (24 + GAP) + 12);
  x_range.setv({ start: 0, end: days.length * (24 + GAP) - GAP }); y_range.setv({ start: Math.min(0, least * 1.05), end: most * 1.05 || 1 });
  below[0].ticker.ticks = ticks;
  below[0].major_label_overrides = new Map(ticks.map((at, k) => [at, one ? `${at}:00` : dayName(record.days[days[k]])]));
  below[0].major_label_orientation = one ? 0 : 1.1;
  below[0].axis_label = one ? say("hour") : ""; left[0].axis_label = say("power");
  energies(record, shown, days);
  last.hours = { record, shown, days };
}

const dayName = (day) => `${dateOf(day)} ×${day[2] >= 10 ? day[2].toFixed(0) : day[2].toFixed(1)}`;

function told(record, shown, d, k, h) {
  const at = k * 24 + h, lines = [`${dateOf(record.days[d])} ${h}:00–${h + 1}:00 JST`];
  for (const each of data.hourly.series) {
    const v = shown.values[each.name][at], label = each.name === "dc_load" ? (language ? "データセンター" : "data centres") : each.label[language];
    if (v >= 0.0005) lines.push(`${label} ${v.toFixed(2)} GW`);
  }
  return lines.join("\n");
}

function energies(record, shown, days) {
  const year = state.day === "", total = (name) => days.reduce((sum, d, k) => {
    let day = 0;
    for (let h = 0; h < 24; h++) day += shown.values[name][k * 24 + h];
    return sum + (year ? (day * record.days[d][2]) / 1000 : day);
  }, 0);
  byId("hours-key").replaceChildren(...data.hourly.series.map((each) => {
    const item = document.createElement("li"), swatch = document.createElement("span"), amount = document.createElement("b");
    swatch.className = each.shown === "line" ? "line" : "swatch";
    if (each.shown === "line") swatch.style.borderTopStyle = each.hatch || "solid";
    else { swatch.style.backgroundColor = each.colour; swatch.style.backgroundImage = HATCHES[each.hatch] || "none"; }
    const all = each.name === "dc_load" ? total("demand") + total("dc_load") : total(each.name);
    amount.textContent = short(all); item.dataset.name = each.name;
    item.append(swatch, `${each.label[language]} `, amount);
    return item;
  }));
  byId("hours-unit").textContent = say(year ? "energy_year" : "energy_day");
}

function message(text) {
  byId("hours-message").textContent = text;
  byId("hours-message").hidden = !text;
  byId("hours-shown").hidden = Boolean(text);
}

function whyNot() {  // why the page holds no hours of the pair
  const c = placeOf(state.plan), code = state.draw === "base" ? 1 : data.status[c * data.n + Number(state.draw)];
  if (code !== 1) return language ? `将来${state.draw}の「${nameOf(c)}」：${data.states[code].label[1]}` : `Draw ${state.draw}, ${nameOf(c)}: ${data.states[code].label[0]}`;
  const held = data.hourly ? [...new Set([...solved.values()].filter((each) => each && each.values).map((each) => each.draw))] : [];
  const plans = [...new Set([...solved.values()].filter((each) => each && each.values).map((each) => nameOf(placeOf(each.configuration))))];
  if (!held.length) return language ? "このファイルに時間値はない。`wattbit explore STORE --serve` ならどの将来も計算し直す。" : "This file holds no hours; `wattbit explore STORE --serve` solves any draw again.";
  return language ? `このファイルにあるのは将来${held.join("、")}（${plans.join("、")}）の時間値。\`wattbit explore STORE --serve\` ならどの将来も計算し直す。`
    : `This file holds the hours of draws ${held.join(", ")} in ${plans.join(", ")}; \`wattbit explore STORE --serve\` solves any draw again.`;
}

async function fetchHours(key) {
  const [draw, configuration] = key.split(" ");
  solved.set(key, null);
  try {
    const answer = await fetch(`hours?${new URLSearchParams({ draw, configuration })}`), record = await answer.json();
    if (answer.ok) take(record); else solved.set(key, { draw, configuration, told: record.error });
  } catch (fault) {
    solved.delete(key);
    if (key === hourKey()) message(say("no_server"));
    return;
  }
  if (key === hourKey()) showHours();
}

function showHours() {
  if (state.draw === "") { message(language ? "散布図で将来を一つ選ぶ。" : "Choose a draw in the scatter."); return; }
  const key = hourKey(), record = solved.get(key), c = placeOf(state.plan);
  if (record === undefined && data.hourly && data.hourly.served) fetchHours(key);
  last.hours = null;
  if (solved.get(key) === null) { message(say("solving")); return; }
  if (record && record.told) { message(record.told); return; }
  if (record && !record.values) { message(language ? `将来${state.draw}の「${nameOf(c)}」：${stateNamed(record.status)}` : `Draw ${state.draw}, ${nameOf(c)}: ${stateNamed(record.status)}`); return; }
  if (!record) { message(whyNot()); return; }
  if (!record.days[Number(state.day)]) state.day = "";
  hourOptions(record);
  byId("hours-title").textContent = [drawName(state.draw), nameOf(c), state.in === "" ? say("country") : areaNamed(state.in), record.weather_year].join(language ? "、" : ", ");
  message("");
  draw(record);
}

const stateNamed = (word) => (Object.values(data.states).find((each) => each.name === word) || { label: [word, word] }).label[language];
const areaNamed = (name) => data.hourly.areas[name][language];
function drawName(draw) {
  const known = namedDraw(draw), why = known ? (language ? `（${known.why[1]}）` : ` (${known.why[0]})`) : "";
  if (draw === "base") return known ? known.why[language] : draw;
  return (language ? `将来${draw}` : `Draw ${draw}`) + why;
}

function hourOptions(record) {
  const places = [{ name: "", label: SAY.country }, ...record.areas.map((name) => ({ name, label: data.hourly.areas[name] }))];
  if (!places.some((each) => each.name === state.in)) state.in = "";
  options("hours-area", places, state.in);
  options("hours-day", [{ name: "", label: SAY.all_days }, ...record.days.map((day, d) => ({ name: String(d), label: [dayName(day), dayName(day)] }))], state.day);
}
