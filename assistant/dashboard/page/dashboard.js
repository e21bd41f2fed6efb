"use strict";
/* Asks for the figures every five seconds while somebody looks, and draws them. */

const EVERY = 5_000;
const EXPERIMENT_EVERY = 60_000;
const NAMES = { like: "liked", dislike: "disliked", skip: "not seen", undo: "taken back" };
const STATES = { quiet: "quiet", sounding: "sounding", unknown: "nothing happened yet" };

const stored = localStorage.getItem("vite-ui-theme"); // what was chosen in the chat
const night = matchMedia("(prefers-color-scheme: dark)");
const dress = () => {
  const dark = stored === "dark" || (stored !== "light" && night.matches);
  document.documentElement.classList.toggle("dark", dark);
};
night.addEventListener("change", dress);
dress();

const $ = (id) => document.getElementById(id);

function make(tag, { text, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const whole = new Intl.NumberFormat("en");
const count = (number, one, many = `${one}s`) => `${whole.format(number)} ${number === 1 ? one : many}`;
const percent = (share, digits = 0) => (share === null ? "–" : `${(100 * share).toFixed(digits)} %`);
const signed = (share) => `${share > 0 ? "+" : ""}${Math.round(100 * share)} %`;

function seconds(value) {
  if (value === null) return "–";
  const milliseconds = 1000 * value;
  if (milliseconds >= 1000) return `${value.toFixed(1)} s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

function bar(share, axis = "width") {
  const fill = make("i");
  fill.style[axis] = `${Math.min(100, 100 * (share ?? 0))}%`;
  return fill;
}

function meter(name, said, share, kind = "") {
  return make(
    "li", {},
    make("span", { text: name }),
    make("em", { text: said }),
    make("span", { class: `track ${kind}`, "aria-hidden": "true" }, bar(share)),
  );
}

const nothing = (text) => make("li", { class: "quiet", text });

function alarm({ name, value, limit, sounds, unit, events, state }) {
  const shown = unit === "seconds" ? seconds(value) : percent(value, 1);
  const threshold = unit === "seconds" ? seconds(limit) : percent(limit);
  return make(
    "li", { class: state === "quiet" ? "quiet-state" : state },
    make("span", { text: name }),
    make("b", { text: shown }),
    make("span", { class: "state", text: STATES[state] }),
    make("span", { class: "quiet", text: `sounds ${sounds} ${threshold}` }),
    make("span", { class: "quiet", text: `${whole.format(events)} counted` }),
  );
}

/* Bars reach from 1 ms to 10 s, each tenfold the same way: fast and slow steps share one picture. */
const reach = (value) => (value ? (Math.log10(Math.max(value, 0.001)) + 3) / 4 : 0);

function latency({ name, count: times, p50, p95, p99 }) {
  const range = make("span", { class: "range", "aria-hidden": "true" }, bar(reach(p95)), bar(reach(p50)));
  return make(
    "tr", {},
    make("th", { scope: "row", text: name }),
    ...[whole.format(times), seconds(p50), seconds(p95), seconds(p99)].map((text) => make("td", { class: "n", text })),
    make("td", {}, range),
  );
}

function acceptance(all) {
  const most = Math.max(...all.map(({ rate }) => rate ?? 0), 1e-9);
  return all.map(({ strategy, answers, likes, dislikes, rate }) => {
    const said = answers ? `${likes} liked, ${dislikes} disliked in ${count(answers, "answer")}` : "no answers yet";
    return meter(strategy, said, (rate ?? 0) / most);
  });
}

function liftOf(lift) {
  $("lift").textContent = lift === null ? "–" : signed(lift);
  $("lift-note").textContent = lift === null
    ? "Likes per answer, personal over generic: too few answers of either kind to say."
    : "likes per answer, personal over generic";
}

function shares(all) {
  return all.map(({ name, part, whole: of }) =>
    meter(name, of ? `${percent(part / of)} of ${whole.format(of)}` : "none yet", of ? part / of : 0));
}

function swipes(all) {
  const sum = all.reduce((total, each) => total + each.count, 0);
  if (!sum) return [nothing("No swipes yet.")];
  const order = Object.keys(NAMES);
  const sorted = all.toSorted((one, other) => order.indexOf(one.name) - order.indexOf(other.name));
  return sorted.map(({ name, count: times }) => meter(NAMES[name] ?? name, whole.format(times), times / sum, name));
}

function confidence(all) {
  const most = Math.max(...all.map((each) => each.count), 1);
  return all.map(({ name, count: times }) => make(
    "li", { title: `${name}: ${times}` },
    make("span", { class: "track" }, bar(times / most, "height")),
    make("span", { text: name.replace(/\D/g, "") }),
  ));
}

function counts(all, none) {
  if (!all.length) return [nothing(none)];
  return all.map(({ name, count: times }) =>
    make("li", {}, make("span", { text: name.replaceAll("_", " ") }), make("span", { text: whole.format(times) })));
}

function draw(figures) {
  $("alarms").replaceChildren(...figures.alarms.map(alarm));
  $("latencies").replaceChildren(...figures.latencies.filter((each) => each.count).map(latency));
  if (!$("latencies").children.length) {
    $("latencies").append(make("tr", {}, make("td", { colspan: "6", class: "quiet", text: "Nothing was timed yet." })));
  }
  $("caches").replaceChildren(...shares(figures.caches));
  $("surveys").replaceChildren(...shares([figures.surveys]));
  $("acceptance").replaceChildren(...acceptance(figures.acceptance));
  liftOf(figures.lift);
  $("swipes").replaceChildren(...swipes(figures.swipes));
  $("confidence").replaceChildren(...confidence(figures.confidence));
  $("chat").replaceChildren(...counts(figures.chat, "No turns yet."));
  $("fallbacks").replaceChildren(...counts(figures.fallbacks, "None: every part works."));
}

function interval(middle, bounds, show) {
  return bounds ? `${show(middle)} (${show(bounds[0])} to ${show(bounds[1])})` : `${show(middle)} (too few people)`;
}

function variant(row) {
  const lift = row.lift === null ? "" : interval(row.lift, row.lift_interval, signed);
  const rate = interval(row.like_rate, row.like_rate_interval, (value) => value.toFixed(2));
  const cells = [row.users, row.exposures, row.likes, row.dislikes].map((number) => whole.format(number));
  return make(
    "tr", {},
    make("th", { scope: "row", text: row.variant.replaceAll("_", " ") }),
    ...cells.map((text) => make("td", { class: "n", text })),
    make("td", { text: rate }),
    make("td", { text: lift }),
  );
}

function duel({ variant: ours, baseline, users, wins, losses, ties }) {
  const sides = `${ours.replaceAll("_", " ")} against ${baseline.replaceAll("_", " ")}`;
  return make("p", { text: `${sides}: won ${wins}, lost ${losses}, tied ${ties} of ${count(users, "person", "people")}` });
}

function experiment(report) {
  if (report === null) {
    return [make("p", { class: "quiet", text: "None has shown anything. EXPERIMENT_NAME and EXPERIMENT_VARIANTS start one." })];
  }
  const heads = ["variant", "people", "answers", "likes", "dislikes", "likes per answer", "lift"];
  const head = heads.map((text, column) => make("th", { scope: "col", class: column && column < 5 ? "n" : "", text }));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...report.variants.map(variant)));
  const title = `${report.experiment}, against ${report.baseline.replaceAll("_", " ")}; intervals of 95 % over people`;
  const shown = report.variants.length ? [make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Variants" }, table)] : [];
  return [make("p", { class: "quiet", text: title }), ...shown, ...report.duels.map(duel)];
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function refresh() {
  if (document.hidden) return;
  try {
    const { since, figures } = await ask("dashboard/figures");
    draw(figures);
    const start = new Date(since).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
    $("when").textContent = `since ${start}; refreshed ${new Date().toLocaleTimeString("en")}`;
    $("when").classList.remove("stale");
  } catch {
    $("when").textContent = "The server does not answer; these figures are old.";
    $("when").classList.add("stale");
  }
}

async function refreshExperiment() {
  if (document.hidden) return;
  try {
    $("experiment").replaceChildren(...experiment(await ask("dashboard/experiment")));
  } catch {
    $("experiment").replaceChildren(make("p", { class: "quiet", text: "The log of the experiment does not answer." }));
  }
}

refresh();
refreshExperiment();
setInterval(refresh, EVERY);
setInterval(refreshExperiment, EXPERIMENT_EVERY);
document.addEventListener("visibilitychange", refresh);
