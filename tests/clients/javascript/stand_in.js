// The program local-bedrock, started for one test and ended with it, and the SDK's client of it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { BedrockRuntimeClient, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";

export const PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";
export const CREDENTIALS = { accessKeyId: "ASIACLIENT", secretAccessKey: "s3cr3t/+=", sessionToken: "t0ken//+==" };

// What a developer may have set for AWS concerns neither the program nor the client.
for (const name of Object.keys(process.env).filter((name) => name.startsWith("AWS_"))) {
  delete process.env[name];
}

/** Starts the program with `options` and resolves to its URL. It knows CREDENTIALS and verifies every signature. */
export async function start(test, ...options) {
  const known = [
    ...["--access-key-id", CREDENTIALS.accessKeyId],
    ...["--secret-access-key", CREDENTIALS.secretAccessKey],
    ...["--session-token", CREDENTIALS.sessionToken],
  ];
  const program = spawn(process.env.LOCAL_BEDROCK_BIN, [...known, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(program, "exit");
  test.after(() => {
    program.kill("SIGTERM");
    return ended;
  });
  for await (const url of createInterface(program.stdout)) {
    return url;
  }
  throw new Error("local-bedrock ended without saying its URL");
}

/** A client as anyone would make it, but for what `options` set; it is not retried unless they say so. */
export function client(test, endpoint, options = {}) {
  const bedrock = new BedrockRuntimeClient({
    endpoint,
    region: "us-east-1",
    credentials: CREDENTIALS,
    maxAttempts: 1,
    ...options,
  });
  test.after(() => bedrock.destroy());
  return bedrock;
}

/** Asks for a reply, and resolves to the response once its head is there. */
export function ask(bedrock, options = {}, modelId = PROFILE) {
  const question = new ConverseStreamCommand({
    modelId,
    system: [{ text: "Be a bro." }],
    messages: [{ role: "user", content: [{ text: "Yo, three colours?" }] }],
    inferenceConfig: { maxTokens: 150, temperature: 0.3 },
  });
  return bedrock.send(question, options);
}

/** The names of a stream's events, each pushed to `seen` as it comes. */
export async function read(response, seen = []) {
  for await (const event of response.stream) {
    seen.push(Object.keys(event)[0]);
  }
  return seen;
}
