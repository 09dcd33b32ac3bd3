// What the targets say of results.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { CASES } from "../../bench/compare/cases.ts";
import { SERVERS } from "../../bench/compare/servers.ts";
import { formatVerdicts, judge, TARGETS } from "../../bench/compare/targets.ts";
import { resultsOf } from "./_results.ts";

const atLeast = { case: "one", peer: "ws", atLeast: 1.2 };

Deno.test("a target is met when the ratio to the peer reaches its bound", () => {
  const met = resultsOf({
    one: { "x-asgi": { value: 12 }, ws: { value: 10 } },
  });
  assertEquals(judge(atLeast, met).reached, 1.2);
  assertEquals(judge(atLeast, met).met, true);
});

Deno.test("a target is not met when the ratio falls short of it", () => {
  const few = resultsOf({
    one: { "x-asgi": { value: 11 }, ws: { value: 10 } },
  });
  assertEquals(judge(atLeast, few).met, false);
});

Deno.test("a target of a latency is not met when the ratio exceeds it", () => {
  const results = resultsOf({
    one: { "x-asgi": { value: 1, p99: 16 }, ws: { value: 1, p99: 10 } },
  });
  const target = { case: "one", peer: "ws", figure: "p99" } as const;
  assertEquals(judge({ ...target, atMost: 1.5 }, results).met, false);
  assertEquals(judge({ ...target, atMost: 1.6 }, results).met, true);
});

Deno.test("a target without a peer bounds the figure itself", () => {
  const results = resultsOf({ one: { "x-asgi": { value: 13 } } });
  assertEquals(judge({ case: "one", atMost: 12 }, results).met, false);
  assertEquals(judge({ case: "one", atMost: 14 }, results).met, true);
});

Deno.test("a target is not judged where a server was not measured", () => {
  const lacksPeer = resultsOf({ one: { "x-asgi": { value: 13 } } });
  assertEquals(judge(atLeast, lacksPeer).met, undefined);
  assertEquals(judge(atLeast, resultsOf({})).met, undefined);
});

Deno.test("processor time counts for us where a request takes less of it", () => {
  const results = resultsOf({
    one: {
      "x-asgi": { value: 1, cpuPerRequest: 10 },
      ws: { value: 1, cpuPerRequest: 15 },
    },
  });
  assertEquals(judge(atLeast, results).byCpu, 1.5);
});

Deno.test("the table counts what is met, and what was not measured", () => {
  const text = formatVerdicts(resultsOf({
    "hello-32": {
      "x-asgi": { value: 100, p99: 1 },
      "node-http": { value: 90, p99: 1 },
      "uvicorn-httptools": { value: 99 },
    },
  }));
  assertStringIncludes(text, "Targets: 2 of 3 met");
  assertStringIncludes(text, `${TARGETS.length - 3} not measured`);
});

Deno.test("the table of costs has a row for a case, and a column for a peer", () => {
  const text = formatVerdicts(resultsOf({
    "h2-hello-c8-m10": {
      "x-asgi": { value: 1, cpuPerRequest: 12 },
      "node-http2": { value: 1, cpuPerRequest: 10 },
      "hypercorn": { value: 1, cpuPerRequest: 300 },
    },
  }));
  assertStringIncludes(text, "Targets: 1 of 2 met");
  const [, ...peers] = /^ *case +(\S+) +(\S+)$/m.exec(text) ?? [];
  assertEquals(peers, ["node-http2", "hypercorn"]);
  assertMatch(text, /^ *h2-hello-c8-m10 +! 1\.20 \(1\.00\) +0\.04 \(0\.06\)$/m);
});

Deno.test("every target names a case, and servers that take part in it", () => {
  for (const { case: name, server = "x-asgi", peer = server } of TARGETS) {
    const found = CASES.find((one) => one.name === name);
    assert(found !== undefined, `There is no case "${name}"`);
    for (const needed of [server, peer]) {
      assert(found.servers.includes(needed), `${needed} is not in ${name}`);
    }
  }
});

Deno.test("every case names servers that there are", () => {
  const names = SERVERS.map(({ name }) => name);
  const unknown = CASES.flatMap(({ servers }) => servers)
    .filter((name) => !names.includes(name));
  assertEquals(unknown, []);
});
