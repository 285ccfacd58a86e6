// A chat function after AWS's "Writing response streaming-enabled Lambda functions" and the SDK's ConverseStream example.
/* global awslambda */

import { BedrockRuntimeClient, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";

const SYSTEM = `You are a friendly conversation partner. Keep replies short and useful: a few sentences at most.
You do not give medical or legal advice. When someone asks for it, say kindly that you cannot help with that, and point to a professional.
Talk like a good friend: casual, warm and upbeat, with light slang, never crude. Get to the point.`;

// Made once and used by every invocation of the sandbox, so that its connection is kept.
const bedrock = new BedrockRuntimeClient({});

function event(name, data) {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const handler = awslambda.streamifyResponse(async (request, responseStream, _context) => {
  const body = request.isBase64Encoded ? Buffer.from(request.body, "base64").toString() : request.body;
  const { message } = JSON.parse(body);

  const reply = await bedrock.send(
    new ConverseStreamCommand({
      modelId: process.env.MODEL_ID,
      system: [{ text: SYSTEM }],
      messages: [{ role: "user", content: [{ text: message }] }],
      inferenceConfig: { maxTokens: 150, temperature: 0.3 },
    }),
  );

  responseStream = awslambda.HttpResponseStream.from(responseStream, {
    statusCode: 200,
    headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store" },
  });
  let stopReason = null;
  let usage = null;
  for await (const part of reply.stream) {
    if (part.contentBlockDelta?.delta?.text) {
      responseStream.write(event("token", { text: part.contentBlockDelta.delta.text }));
    } else if (part.messageStop) {
      stopReason = part.messageStop.stopReason;
    } else if (part.metadata) {
      usage = part.metadata.usage;
    }
  }
  const counts = usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens, total_tokens: usage.totalTokens };
  responseStream.write(event("done", { stop_reason: stopReason, usage: counts }));
  responseStream.end();
});
