// Talks to the gateway and sends ratings as the events that an application sends.
const log = document.getElementById("log");
const form = document.getElementById("ask");
const question = document.getElementById("question");
const role = document.getElementById("role");
const arm = document.getElementById("arm");
const user = document.getElementById("user");
const stop = document.getElementById("stop");

let turns = [];
let running = null;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = question.value.trim();
  if (text && !running) ask(text);
});
question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
stop.addEventListener("click", () => running?.abort());
document.getElementById("anew").addEventListener("click", startAnew);
for (const choice of [arm, role, user]) choice.addEventListener("change", startAnew);

function startAnew() {
  running?.abort();
  turns = [];
  log.replaceChildren();
  question.focus();
}

async function ask(text) {
  document.getElementById("no-turns")?.remove();
  turns.push({ role: "user", content: text });
  addTurn("you", text);
  question.value = "";
  const said = document.getElementById("answer").content.cloneNode(true).firstElementChild;
  said.querySelector(".who").textContent = role.selectedOptions[0].textContent;
  log.append(said);
  running = new AbortController();
  stop.hidden = false;
  log.setAttribute("aria-busy", "true");
  try {
    const { answer, told, isWhole } = await stream(said.querySelector(".said"), running.signal);
    if (answer) {
      turns.push({ role: "assistant", content: answer });
      offerRating(answer, told, isWhole);
    }
  } catch (error) {
    turns.pop();
    question.value = text;
    const fault = Object.assign(document.createElement("p"), { className: "fault", textContent: error.message });
    fault.setAttribute("role", "alert");
    said.replaceWith(fault);
  } finally {
    running = null;
    stop.hidden = true;
    log.removeAttribute("aria-busy");
  }
}

// The service finds the user's arm and says which it was beside the first piece, with the id that ratings refer to.
async function stream(target, signal) {
  const body = { model: role.value, user: user.value.trim() || undefined, messages: turns, stream: true };
  const response = await fetch("/v1/chat/completions", { method: "POST", headers: jsonHeaders(), body: JSON.stringify(body), signal });
  if (!response.ok) throw new Error(await readFault(response));
  let answer = "";
  let told = {};
  try {
    for await (const piece of readEvents(response.body)) {
      if (piece.error) throw new Error(piece.error.message);
      told = piece.curator ?? told;
      answer += piece.choices?.[0]?.delta?.content ?? "";
      target.textContent = answer;
    }
  } catch (error) {
    if (error.name !== "AbortError") throw error;
    return { answer, told, isWhole: false };
  }
  return { answer, told, isWhole: true };
}

async function* readEvents(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: ?/, "");
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}

async function readFault(response) {
  try {
    const { error } = await response.json();
    return error.hint ? `${error.message}. ${error.hint}.` : error.message;
  } catch {
    return `The service answered ${response.status}.`;
  }
}

// A whole answer is in the journal already; one that was stopped, or not recorded, is sent with the first word about it.
function offerRating(answer, told, isWhole) {
  const isKnown = isWhole && Boolean(told.recommendation_id);
  const recommendation = isKnown ? told.recommendation_id : `page-${crypto.randomUUID()}`;
  const known = { arm: told.arm ?? undefined, model: told.model ?? role.value, role: told.role, prompt: turns.slice(0, -1), answer };
  const bar = document.getElementById("rating").content.cloneNode(true).firstElementChild;
  const showArm = () => { bar.querySelector("[data-arm]").textContent = told.arm ? `arm ${told.arm}` : ""; };
  let isSent = isKnown;
  const send = async (kind, values) => {
    if (!isSent) await post({ kind: "recommendation", recommendation_id: recommendation, ...known });
    isSent = true;
    await post({ kind, recommendation_id: recommendation, ...values });
    showArm();
  };
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { rate, followed } = button.dataset;
    tell(send(rate ? "rating" : "adherence", rate ? { rating: Number(rate) } : { is_followed: followed === "yes" }), () => {
      for (const other of button.parentElement.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
    });
  });
  bar.querySelector("[data-outcome]").addEventListener("change", (event) => {
    if (event.target.value) tell(send("outcome", { outcome: event.target.value }), () => window.curator.announce("Outcome stored."));
  });
  if (arm.value !== "blind") showArm();
  log.append(bar);
  bar.scrollIntoView({ block: "nearest" });
}

function tell(promise, done) {
  promise.then(done).catch((error) => window.curator.announce(error.message));
}

async function post(event) {
  const whole = { event_id: `page-${crypto.randomUUID()}`, occurred_at: new Date().toISOString(), user: user.value.trim() || undefined, ...event };
  const response = await fetch("/api/v1/events", { method: "POST", headers: jsonHeaders(), body: JSON.stringify(whole) });
  if (!response.ok) throw new Error(await readFault(response));
}

function jsonHeaders() {
  return { "Content-Type": "application/json", ...window.curator.headers() };
}

function addTurn(who, text) {
  const turn = Object.assign(document.createElement("div"), { className: "turn" });
  const name = Object.assign(document.createElement("div"), { className: "who", textContent: who });
  const said = Object.assign(document.createElement("div"), { className: "said", textContent: text, dir: "auto" });
  turn.append(name, said);
  log.append(turn);
}
