// Negotiation of permessage-deflate (RFC 7692, section 7.1), as tables of what
// clients offer and what is answered.

import { assertEquals } from "@std/assert";
import {
  type DeflateAgreement,
  negotiateDeflate,
} from "../../src/websocket/deflate_offer.ts";
import { parseExtensions } from "../../src/websocket/extensions.ts";
import {
  type CompressionOptions,
  DEFAULT_COMPRESSION_OPTIONS,
} from "../../src/websocket/options.ts";

/** Options that ask for nothing by themselves. */
const WIDE = {
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  serverNoContextTakeover: false,
};

function negotiate(
  offer: string,
  options: Partial<CompressionOptions> = WIDE,
): DeflateAgreement | undefined {
  return negotiateDeflate(parseExtensions(offer)!, {
    ...DEFAULT_COMPRESSION_OPTIONS,
    ...options,
  });
}

/** The answer's parameters; `null` if every offer is declined. */
type Row = [offer: string, answer: string | null];

function check(rows: readonly Row[], options?: Partial<CompressionOptions>) {
  for (const [offer, answer] of rows) {
    const expected = answer === null
      ? undefined
      : ["permessage-deflate", ...answer.split(" ").filter((part) => part)]
        .join("; ");
    const { response } = negotiate(offer, options) ?? {};
    assertEquals(response, expected, offer);
  }
}

Deno.test("negotiateDeflate() meets what is demanded", () => {
  check([
    ["permessage-deflate", ""],
    ["Permessage-Deflate", ""],
    [
      "permessage-deflate; server_no_context_takeover",
      "server_no_context_takeover",
    ],
    [
      "permessage-deflate; client_no_context_takeover",
      "client_no_context_takeover",
    ],
    [
      "permessage-deflate; server_max_window_bits=8",
      "server_max_window_bits=8",
    ],
    [
      "permessage-deflate; server_max_window_bits=10",
      "server_max_window_bits=10",
    ],
    [
      "permessage-deflate; server_max_window_bits=15",
      "server_max_window_bits=15",
    ],
    [
      'permessage-deflate; server_max_window_bits="9"',
      "server_max_window_bits=9",
    ],
    ["permessage-deflate; client_max_window_bits", ""],
    ["permessage-deflate; client_max_window_bits=15", ""],
    [
      "permessage-deflate; client_max_window_bits=9",
      "client_max_window_bits=9",
    ],
    [
      "permessage-deflate; client_max_window_bits=8; server_max_window_bits=11; " +
      "client_no_context_takeover; server_no_context_takeover",
      "server_no_context_takeover client_no_context_takeover " +
      "server_max_window_bits=11 client_max_window_bits=8",
    ],
  ]);
});

Deno.test("negotiateDeflate() declines what it cannot meet", () => {
  const parameters = [
    ...["unknown", "unknown=1", "__proto__=1"],
    ...["server_no_context_takeover=1", "client_no_context_takeover=true"],
    ...["server_max_window_bits", "server_max_window_bits=7"],
    ...["server_max_window_bits=16", "server_max_window_bits=08"],
    ...["server_max_window_bits=1e1", "server_max_window_bits=x"],
    ...["client_max_window_bits=7", "client_max_window_bits=16"],
    ...["client_max_window_bits=010", "client_max_window_bits=9.0"],
    "server_no_context_takeover; server_no_context_takeover",
    "client_max_window_bits; client_max_window_bits=10",
    "server_max_window_bits=10; server_max_window_bits=10",
  ];
  check(parameters.map((given) => [`permessage-deflate; ${given}`, null]));
  check([["x-webkit-deflate-frame", null], ["permessage-bzip2", null]]);
  assertEquals(negotiateDeflate([], DEFAULT_COMPRESSION_OPTIONS), undefined);
});

Deno.test("negotiateDeflate() accepts the first offer that it can meet", () => {
  check([
    [
      "permessage-deflate; unknown, permessage-deflate; server_max_window_bits=9",
      "server_max_window_bits=9",
    ],
    [
      "other, permessage-deflate; server_no_context_takeover, permessage-deflate",
      "server_no_context_takeover",
    ],
    ["permessage-deflate, permessage-deflate; server_max_window_bits=9", ""],
  ]);
});

Deno.test("negotiateDeflate() asks for what is configured, as far as it may", () => {
  const options = {
    serverMaxWindowBits: 11,
    clientMaxWindowBits: 10,
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
  };
  const always = "server_no_context_takeover client_no_context_takeover";
  check([
    ["permessage-deflate", `${always} server_max_window_bits=11`],
    [
      "permessage-deflate; client_max_window_bits",
      `${always} server_max_window_bits=11 client_max_window_bits=10`,
    ],
    [
      "permessage-deflate; client_max_window_bits=9; server_max_window_bits=14",
      `${always} server_max_window_bits=11 client_max_window_bits=9`,
    ],
    [
      "permessage-deflate; server_max_window_bits=9",
      `${always} server_max_window_bits=9`,
    ],
  ], options);
});

Deno.test("negotiateDeflate() says what to compress and decompress with", () => {
  const agreement = negotiate(
    "permessage-deflate; server_max_window_bits=8; client_no_context_takeover",
    { ...WIDE, serverMaxWindowBits: 12, clientMaxWindowBits: 12 },
  );
  assertEquals(agreement, {
    serverMaxWindowBits: 8,
    // The client has not allowed the server to choose.
    clientMaxWindowBits: 15,
    serverNoContextTakeover: false,
    clientNoContextTakeover: true,
    response: "permessage-deflate; client_no_context_takeover; " +
      "server_max_window_bits=8",
  });
});
