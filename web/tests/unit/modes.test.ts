import { describe, expect, it } from "vitest";
import { fetchModes, parseModes } from "../../src/modes.ts";
import { serve } from "../support/server.ts";

const BRO = { id: "bro", label: "Bro", description: "Laid-back." };
const PRO = { id: "pro", label: "Pro", description: "Precise." };

describe("the modes", () => {
  it("come with the policy's default", () => {
    const body = { modes: [BRO, PRO], default: "pro", limits: { max_tokens: 150 } };
    expect(parseModes(JSON.stringify(body))).toEqual({
      modes: [BRO, PRO],
      defaultId: "pro",
      maxTokens: 150,
    });
  });

  it("skip what is none, and then the first is the default", () => {
    const body = { modes: [7, { label: "No id" }, PRO], default: "gone" };
    expect(parseModes(JSON.stringify(body))).toMatchObject({ modes: [PRO], defaultId: "pro" });
  });

  it.each(["", "null", "[]", "{}", '{"modes":[]}', '{"modes":"bro"}'])(
    "cannot be had from %j",
    (text) => expect(parseModes(text)).toBeUndefined(),
  );

  it("are done without when the server has none to give", async () => {
    await using server = await serve((_, response) => void response.writeHead(502).end());
    expect(await fetchModes(server.url)).toBeUndefined();
  });

  it("are done without when the server does not answer in time", async () => {
    await using server = await serve(() => undefined);
    expect(await fetchModes(server.url, 50)).toBeUndefined();
  });
});
