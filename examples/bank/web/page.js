// The page: transactions as they happen, and how far the projections are.
import { follow } from "/live/feed.js";

const SHOWN_MAX = 50;
const PROJECTIONS_EVERY_MS = 1000;

const byId = (id) => document.getElementById(id);

function row(cells) {
  const row = document.createElement("tr");
  for (const [text, isNumber] of cells) {
    const cell = row.insertCell();
    cell.textContent = text; // never as HTML: names of accounts are anyone's
    if (isNumber) cell.className = "number";
  }
  return row;
}

function showTransaction(event) {
  const { type, amount } = event.data;
  const account = event.subject.slice(event.subject.indexOf("/") + 1);
  const time = new Date(event.time).toLocaleTimeString();
  const shown = row([[time, false], [account, false], [type, false], [amount ?? "", true]]);
  shown.dataset.event = event.id;
  const rows = byId("transactions");
  rows.prepend(shown);
  while (rows.childElementCount > SHOWN_MAX) rows.lastElementChild.remove();
  byId("nothing").hidden = true;
}

function showConnection({ name, why, behindMs }) {
  const shown = byId("connection");
  shown.dataset.state = name;
  if (name === "live") {
    shown.textContent = behindMs === null ? "live, how far behind is not known" : `live, up to ${seconds(behindMs)} behind`;
  } else {
    shown.textContent = why ? `${name}: ${why}` : name;
  }
}

function seconds(ms) {
  return `${Math.max(1, Math.ceil(ms / 1000)).toLocaleString()} s`;
}

async function showProjections() {
  const problem = byId("projections-problem");
  try {
    const answer = await fetch("/projections", { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`the bank answers ${answer.status}`);
    const { projections } = await answer.json();
    byId("projections").replaceChildren(
      ...projections.map(({ name, state, lag_events: events, lag_seconds: lag }) =>
        row([
          [name, false],
          [state, false],
          [events?.toLocaleString() ?? "?", true],
          [lag === undefined ? "?" : `${lag.toFixed(1)} s`, true],
        ]),
      ),
    );
    problem.hidden = true;
  } catch (error) {
    problem.textContent = `as of a while ago: ${error.message}`;
    problem.hidden = false;
  }
  setTimeout(showProjections, PROJECTIONS_EVERY_MS);
}

follow("/live/events", showTransaction, showConnection);
showProjections();
