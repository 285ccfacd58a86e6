// A streaming function after AWS's "Writing response streaming-enabled Lambda functions".
/* global awslambda */

import net from "node:net";

let invocations = 0;

/** What the server at the address in UPSTREAM says on a new connection until it closes it. */
async function askUpstream() {
  const { hostname, port } = new URL(`tcp://${process.env.UPSTREAM}`);
  const chunks = await net.connect(Number(port), hostname).toArray();
  return Buffer.concat(chunks).toString();
}

function withMetadata(responseStream, metadata) {
  return awslambda.HttpResponseStream.from(responseStream, metadata);
}

const routes = {
  "/events": async (_event, responseStream) => {
    responseStream = withMetadata(responseStream, {
      statusCode: 200,
      headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store" },
    });
    responseStream.write("data: first\n\n");
    responseStream.write(`data: ${await askUpstream()}\n\n`);
    responseStream.end();
  },

  "/metadata": async (_event, responseStream) => {
    responseStream = withMetadata(responseStream, {
      statusCode: 418,
      headers: { "Content-Type": "text/plain", "X-Model": "small" },
      cookies: ["session=1; Path=/; HttpOnly", "theme=dark"],
    });
    responseStream.write("short and stout");
    responseStream.end();
  },

  "/plain": async (_event, responseStream) => {
    responseStream.write("first\n");
    responseStream.write(await askUpstream());
    responseStream.end();
  },

  "/content-type": async (_event, responseStream) => {
    responseStream.setContentType("text/csv");
    responseStream.write("a,b\n");
    responseStream.end();
  },

  "/end-without-write": async (_event, responseStream) => {
    withMetadata(responseStream, { statusCode: 404 }).end("Not Found");
  },

  "/event": async (event, responseStream) => {
    responseStream = withMetadata(responseStream, { statusCode: 200, headers: { "Content-Type": "application/json" } });
    responseStream.write(JSON.stringify(event));
    responseStream.end();
  },

  "/instance": async (_event, responseStream, context) => {
    responseStream = withMetadata(responseStream, { statusCode: 200, headers: { "Content-Type": "application/json" } });
    responseStream.write(
      JSON.stringify({
        process: process.pid,
        invocation: invocations,
        requestId: context.awsRequestId,
        memory: context.memoryLimitInMB,
        remaining: context.getRemainingTimeInMillis(),
      }),
    );
    responseStream.end();
  },

  "/large": async (_event, responseStream) => {
    for (let sent = 0; sent < 7 * 1024; sent += 64) {
      if (!responseStream.write("x".repeat(64 * 1024))) {
        await new Promise((resolve) => responseStream.once("drain", resolve));
      }
    }
    responseStream.end();
  },

  "/throw": async () => {
    throw new TypeError("there is no model");
  },

  "/throw-midway": async (_event, responseStream) => {
    responseStream = withMetadata(responseStream, { statusCode: 200, headers: { "Content-Type": "text/plain" } });
    responseStream.write("first\n");
    throw new Error(await askUpstream());
  },

  "/exit-midway": async (_event, responseStream) => {
    responseStream.write("first\n");
    await askUpstream();
    process.exit(1);
  },
};

export const handler = awslambda.streamifyResponse(async (event, responseStream, context) => {
  invocations += 1;
  await routes[event.rawPath](event, responseStream, context);
});
