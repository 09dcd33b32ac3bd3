// Which values the client may set, with the code for each that it may not, and
// when those of the server are in force.

import { assert, assertEquals } from "@std/assert";
import type { ErrorName } from "../../src/http2/frames.ts";
import {
  ClientSettings,
  DEFAULT_SETTINGS,
  ServerSettings,
  type SettingName,
  SETTINGS,
} from "../../src/http2/settings.ts";
import { assertHttp2Error } from "./_errors.ts";
import { frame, uint32 } from "./_frames.ts";

const MAX_32_BITS = 0xffff_ffff;

/** A SETTINGS with parameters by name or number. */
function settings(
  ...parameters: [name: SettingName | number, value: number][]
) {
  return frame(
    4,
    0,
    0,
    parameters.flatMap(([name, value]) => {
      const id = typeof name === "number" ? name : SETTINGS[name];
      return [id >>> 8, id & 255, ...uint32(value)];
    }),
  );
}

const ACCEPTED: Record<SettingName, number[]> = {
  HEADER_TABLE_SIZE: [0, 4096, MAX_32_BITS],
  ENABLE_PUSH: [0, 1],
  MAX_CONCURRENT_STREAMS: [0, MAX_32_BITS],
  INITIAL_WINDOW_SIZE: [0, 0x7fff_ffff],
  MAX_FRAME_SIZE: [16_384, 16_777_215],
  MAX_HEADER_LIST_SIZE: [0, MAX_32_BITS],
  ENABLE_CONNECT_PROTOCOL: [0, 1],
  NO_RFC7540_PRIORITIES: [0, 1],
};

const REFUSED: [SettingName, number, ErrorName][] = [
  ["ENABLE_PUSH", 2, "PROTOCOL_ERROR"],
  ["ENABLE_PUSH", MAX_32_BITS, "PROTOCOL_ERROR"],
  ["INITIAL_WINDOW_SIZE", 0x8000_0000, "FLOW_CONTROL_ERROR"],
  ["INITIAL_WINDOW_SIZE", MAX_32_BITS, "FLOW_CONTROL_ERROR"],
  ["MAX_FRAME_SIZE", 16_383, "PROTOCOL_ERROR"],
  ["MAX_FRAME_SIZE", 16_777_216, "PROTOCOL_ERROR"],
  ["ENABLE_CONNECT_PROTOCOL", 2, "PROTOCOL_ERROR"],
  ["NO_RFC7540_PRIORITIES", 2, "PROTOCOL_ERROR"],
];

for (const [name, values] of Object.entries(ACCEPTED)) {
  Deno.test(`${name} may be ${values.join(" or ")}`, () => {
    for (const value of values) {
      const client = new ClientSettings();
      const setting = name as SettingName;
      const previous = DEFAULT_SETTINGS[setting];
      const changes = client.apply(settings([setting, value]));
      assertEquals(changes, [{ name: setting, value, previous }]);
      assertEquals(client.values, { ...DEFAULT_SETTINGS, [name]: value });
    }
  });
}

for (const [name, value, code] of REFUSED) {
  Deno.test(`${name} must not be ${value}: ${code}`, () => {
    const client = new ClientSettings();
    assertHttp2Error(() => client.apply(settings([name, value])), code);
  });
}

Deno.test("Parameters are applied in their order, repeated ones too", () => {
  const client = new ClientSettings();
  const changes = client.apply(settings(
    ["HEADER_TABLE_SIZE", 0],
    [0x1234, 5],
    [7, 5],
    ["HEADER_TABLE_SIZE", 100],
  ));
  assertEquals(changes.map(({ value, previous }) => [value, previous]), [
    [0, 4096],
    [100, 0],
  ]);
  assertEquals(client.values.HEADER_TABLE_SIZE, 100);
});

Deno.test("Extended CONNECT is not taken back", () => {
  const client = new ClientSettings();
  client.apply(settings(["ENABLE_CONNECT_PROTOCOL", 1]));
  client.apply(settings(["ENABLE_CONNECT_PROTOCOL", 1]));
  assertHttp2Error(
    () => client.apply(settings(["ENABLE_CONNECT_PROTOCOL", 0])),
    "PROTOCOL_ERROR",
  );
});

Deno.test("The kind of priorities is that of the first SETTINGS", () => {
  for (const [first, other] of [[0, 1], [1, 0]]) {
    const client = new ClientSettings();
    client.apply(settings(["NO_RFC7540_PRIORITIES", first]));
    client.apply(settings(["NO_RFC7540_PRIORITIES", first]));
    assertHttp2Error(
      () => client.apply(settings(["NO_RFC7540_PRIORITIES", other])),
      "PROTOCOL_ERROR",
    );
  }
  const silent = new ClientSettings();
  silent.apply(settings());
  assertHttp2Error(
    () => silent.apply(settings(["NO_RFC7540_PRIORITIES", 1])),
    "PROTOCOL_ERROR",
  );
});

Deno.test("A SETTINGS has 32 parameters at most", () => {
  const parameters = Array.from(
    { length: 33 },
    () => [99, 1] as [number, number],
  );
  const client = new ClientSettings();
  assertEquals(client.apply(settings(...parameters.slice(1))), []);
  assertHttp2Error(
    () => client.apply(settings(...parameters)),
    "ENHANCE_YOUR_CALM",
  );
});

Deno.test("The server sends what differs, and awaits the acknowledgment", () => {
  const server = new ServerSettings({
    MAX_CONCURRENT_STREAMS: 100,
    MAX_FRAME_SIZE: 16_384,
    ENABLE_CONNECT_PROTOCOL: 1,
  });
  assert(!server.awaited && !server.inForce);
  server.acknowledge();
  assert(!server.inForce, "an acknowledgment of nothing is ignored");
  assertEquals(server.toSend(), [[3, 100], [8, 1]]);
  assert(server.awaited && !server.inForce);
  server.acknowledge();
  assert(!server.awaited && server.inForce);
  server.acknowledge();
  assert(!server.awaited && server.inForce);
  assertEquals(server.values.INITIAL_WINDOW_SIZE, 65_535);
});
