// app/api/coach/route.ts: a Next.js route handler that streams the coach's answer to the browser.
//
// It is what a frontend of Ollama has already; only OLLAMA_URL is another one. The token stays on the server:
//
//   curator serve token add frontend --scope feedback        prints cur_...
//   OLLAMA_URL=http://127.0.0.1:8600/t/cur_...               .env.local of the Next.js application
//
// The browser posts { history: [{ role, content }], question } and reads plain text as it comes. The answer's id comes in
// the header x-recommendation-id; a rating posted to PUT /api/coach with that id goes to the feedback journal.

const OLLAMA_URL = process.env.OLLAMA_URL ?? "http://127.0.0.1:11434";
const MODEL = process.env.OLLAMA_MODEL ?? "fitness-coach";
const CURATOR_URL = process.env.CURATOR_URL ?? "http://127.0.0.1:8600";
const CURATOR_TOKEN = process.env.CURATOR_TOKEN ?? "";

type Turn = { role: "user" | "assistant"; content: string };

export async function POST(request: Request): Promise<Response> {
  const { history = [], question } = (await request.json()) as { history?: Turn[]; question: string };
  const messages: Turn[] = [...history, { role: "user", content: question }];
  const upstream = await fetch(`${OLLAMA_URL}/api/chat`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ model: MODEL, messages, stream: true }),
    signal: request.signal,
  });
  if (!upstream.ok || upstream.body === null) {
    const { error } = (await upstream.json().catch(() => ({ error: upstream.statusText }))) as { error: string };
    return Response.json({ error }, { status: upstream.status });
  }
  const id = crypto.randomUUID();
  let answer = "";
  const text = readLines(upstream.body).pipeThrough(
    new TransformStream<string, string>({
      transform(line, controller) {
        const piece = JSON.parse(line) as { message?: { content: string }; error?: string };
        if (piece.error !== undefined) throw new Error(piece.error);
        answer += piece.message?.content ?? "";
        controller.enqueue(piece.message?.content ?? "");
      },
      async flush() {
        await sendEvent({ kind: "recommendation", event_id: `shown-${id}`, recommendation_id: id, prompt: messages, answer, model: MODEL });
      },
    }),
  );
  return new Response(text.pipeThrough(new TextEncoderStream()), {
    headers: { "Content-Type": "text/plain; charset=utf-8", "x-recommendation-id": id },
  });
}

export async function PUT(request: Request): Promise<Response> {
  const { id, rating } = (await request.json()) as { id: string; rating: number };
  // The event's id is its idempotency key: a second tap on the same star counts once.
  const sent = await sendEvent({ kind: "rating", event_id: `rating-${id}`, recommendation_id: id, rating });
  return new Response(null, { status: sent ? 204 : 502 });
}

async function sendEvent(event: Record<string, unknown>): Promise<boolean> {
  const answer = await fetch(`${CURATOR_URL}/api/v1/events`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${CURATOR_TOKEN}` },
    body: JSON.stringify({ occurred_at: new Date().toISOString(), ...event }),
  });
  return answer.ok;
}

function readLines(body: ReadableStream<Uint8Array>): ReadableStream<string> {
  let rest = "";
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TransformStream<string, string>({
      transform(chunk, controller) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line.trim()) controller.enqueue(line);
      },
      flush(controller) {
        if (rest.trim()) controller.enqueue(rest);
      },
    }),
  );
}
