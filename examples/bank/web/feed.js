// Follows the events of the bank over WebSocket: connects again when the connection is lost, and goes on where it stopped.

/** How long to wait before the first try, before the server has said how long. */
const FIRST_RETRY_MS = 1000;
const RETRY_MAX_MS = 30000;
/** How often is checked whether the connection still lives: also right after a laptop woke up. */
const CHECK_MS = 1000;

/**
 * @param {string} path where to connect
 * @param {(event: object) => void} onEvent gets each event once, in order
 * @param {(state: {name: string, why: string, behindMs: ?number}) => void} onState gets how the connection is, and how old at
 *   most is what was taken in, null where that is not known
 */
export function follow(path, onEvent, onState) {
  let socket = null;
  let offset = null; // behind the last event that was taken in
  let heard = 0; // when something came last
  let asOf = null; // all that happened until then was taken in
  let silence = 45000;
  let retry = FIRST_RETRY_MS;
  let tries = 0;
  let waiting = null;
  let isLive = false;

  function connect() {
    clearTimeout(waiting);
    waiting = null;
    const url = new URL(path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (offset !== null) url.searchParams.set("after", offset);
    const mine = (socket = new WebSocket(url));
    heard = Date.now();
    onState({ name: "connecting", why: "", behindMs: null });
    mine.onmessage = ({ data }) => {
      if (mine !== socket) return; // one that was given up
      heard = Date.now();
      take(JSON.parse(data, exact));
    };
    mine.onclose = ({ code, reason }) => {
      if (mine === socket) lost(code, reason);
    };
  }

  function take(frame) {
    if (frame.hello) {
      offset = frame.hello.offset;
      silence = frame.hello.silence_ms;
      retry = frame.hello.retry_ms;
      tries = 0;
      live(frame.hello.age_ms);
    } else if (frame.event) {
      offset = frame.offset;
      onEvent(frame.event);
    } else if (frame.heartbeat) {
      offset = frame.heartbeat.offset;
      live(frame.heartbeat.age_ms);
    } else if (frame.unreadable) {
      console.warn(frame.unreadable);
    }
  }

  function live(age) {
    isLive = true;
    asOf = age === null ? null : Date.now() - age;
    showLive();
  }

  function showLive() {
    onState({ name: "live", why: "", behindMs: asOf === null ? null : Date.now() - asOf });
  }

  function lost(code, reason) {
    socket = null;
    if (code === 1011) offset = null; // another journal: begin again
    const wait = Math.min(retry * 2 ** tries, RETRY_MAX_MS);
    tries += 1;
    isLive = false;
    onState({ name: "lost", why: reason || "the connection is lost", behindMs: null });
    waiting = setTimeout(connect, wait);
  }

  setInterval(() => {
    if (socket && Date.now() - heard > silence) {
      const dead = socket;
      lost(0, "nothing was heard of the bank");
      dead.close();
    } else if (isLive) {
      showLive();
    }
  }, CHECK_MS);
  addEventListener("online", () => {
    if (waiting !== null) connect();
  });
  connect();
}

/** Whole numbers that JavaScript cannot hold, above 2^53, as they were written; an older browser has them only about. */
function exact(_name, value, context) {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  return context?.source ?? `about ${value}`;
}
