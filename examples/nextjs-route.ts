// app/api/coach/route.ts: a Next.js route handler that streams the coach's answer to the browser.
//
// It is what a frontend of Ollama has already; only OLLAMA_URL is another one. The token stays on the server:
//
//   curator serve token add frontend --scope feedback        prints cur_...
//   OLLAMA_URL=http://127.0.0.1:8600/t/cur_...               .env.local of the Next.js application
//
// The browser posts { history: [{ role, content }], question, user } and reads plain text as it comes. `user` decides the
// arm of an A/B test; the service records what it answered, and names the record in the header x-recommendation-id. A
// rating posted to PUT /api/coach with that id goes to the feedback journal beside it.

const OLLAMA_URL = process.env.OLLAMA_URL ?? "http://127.0.0.1:11434";
const MODEL = process.env.OLLAMA_MODEL ?? "fitness-coach";
const CURATOR_URL = process.env.CURATOR_URL ?? "http://127.0.0.1:8600";
const CURATOR_TOKEN = process.env.CURATOR_TOKEN ?? "";

type Turn = { role: "user" | "assistant"; content: string };

export async function POST(request: Request): Promise<Response> {
  const { history = [], question, user } = (await request.json()) as { history?: Turn[]; question: string; user?: string };
  const messages: Turn[] = [...history, { role: "user", content: question }];
  const upstream = await fetch(`${OLLAMA_URL}/api/chat`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ model: MODEL, messages, user, stream: true }),
    signal: request.signal,
  });
  if (!upstream.ok || upstream.body === null) {
    const { error } = (await upstream.json().catch(() => ({ error: upstream.statusText }))) as { error: string };
    return Response.json({ error }, { status: upstream.status });
  }
  const text = readLines(upstream.body).pipeThrough(
    new TransformStream<string, string>({
      transform(line, controller) {
        const piece = JSON.parse(line) as { message?: { content: string }; error?: string };
        if (piece.error !== undefined) throw new Error(piece.error);
        controller.enqueue(piece.message?.content ?? "");
      },
    }),
  );
  const id = upstream.headers.get("x-recommendation-id") ?? "";
  return new Response(text.pipeThrough(new TextEncoderStream()), {
    headers: { "Content-Type": "text/plain; charset=utf-8", "x-recommendation-id": id },
  });
}

export async function PUT(request: Request): Promise<Response> {
  const { id, rating, user } = (await request.json()) as { id: string; rating: number; user?: string };
  // The event's id is its idempotency key: a second tap on the same star counts once.
  const sent = await sendEvent({ kind: "rating", event_id: `rating-${id}`, recommendation_id: id, user, rating });
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
