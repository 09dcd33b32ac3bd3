/**
 * A chat room with its page. Open the URL in two tabs, and let them talk.
 *
 *     deno run -A examples/chat.ts
 *     curl http://127.0.0.1:8000/
 *
 * A client says who it is in the query (`/chat?name=Ann`), and sends what it
 * has to say as text. What happens in the room it gets as JSON, one
 * `RoomEvent` in each message. There are no secrets in this room, and no credentials;
 * if there were, `allowedOrigins` should stand around it.
 *
 * @module
 */

import {
  type AsgiApp,
  respond,
  type Send,
  serve,
  type WebSocketScope,
} from "jsr:@x/asgi";

/** The events that members get. */
export type RoomEvent =
  | { type: "welcome"; name: string; names: string[] }
  | { type: "join" | "leave"; name: string }
  | { type: "say"; name: string; text: string };

const MAX_NAME_LENGTH = 32;
const MAX_MESSAGE_BYTES = 16 * 1024;
/** A member who has not taken so many events is too slow for the room. */
const MAX_WAITING = 64;

const UNSUPPORTED_DATA = 1003;
const TRY_AGAIN_LATER = 1013;
const NO_NAME = 4400;

const PAGE = new URL("chat.html", import.meta.url);

/** One who is in the room. */
class Member {
  readonly name: string;
  readonly #send: Send;
  #waiting = 0;
  #sent: Promise<void> = Promise.resolve();

  constructor(name: string, send: Send) {
    this.name = name;
    this.#send = send;
  }

  /** Whether there are as many events on their way as there may be. */
  get isSlow(): boolean {
    return this.#waiting >= MAX_WAITING;
  }

  /** Resolves when all events have left, or never will. */
  get sent(): Promise<void> {
    return this.#sent;
  }

  /** Sends an event, and waits for nothing. */
  post(text: string): void {
    this.#waiting++;
    const over = (): void => {
      this.#waiting--;
    };
    // If the client is lost, `receive` reports it as well.
    this.#sent = this.#send({ type: "websocket.send", text }).then(over, over);
  }

  /** Closes: nothing is sent any more but what waits. */
  dismiss(code: number, reason: string): void {
    // A client that is lost needs no close.
    this.#send({ type: "websocket.close", code, reason }).catch(() => {});
  }
}

/** The members of the room, and what is sent to all of them. */
class Room {
  readonly #members = new Map<string, Member>();

  /** Takes somebody in, under a name that nobody else has. */
  join(wanted: string, send: Send): Member {
    let name = wanted;
    for (let i = 2; this.#members.has(name); i++) name = `${wanted} ${i}`;
    this.#sendAll({ type: "join", name });
    const member = new Member(name, send);
    this.#members.set(name, member);
    const names = [...this.#members.keys()];
    member.post(JSON.stringify({ type: "welcome", name, names }));
    return member;
  }

  /** Whether somebody is still in the room. */
  has(member: Member): boolean {
    return this.#members.get(member.name) === member;
  }

  /** Lets somebody go; nothing happens if they have gone before. */
  leave(member: Member): void {
    if (!this.has(member)) return;
    this.#members.delete(member.name);
    this.#sendAll({ type: "leave", name: member.name });
  }

  /**
   * Sends to all members; resolves when the speaker has got it, too. So a member
   * that sends too fast waits for itself, and delays no others.
   */
  async say(member: Member, text: string): Promise<void> {
    this.#sendAll({ type: "say", name: member.name, text });
    if (this.has(member)) await member.sent;
  }

  /**
   * Waits for no member. One that is too slow is removed, so that what waits for
   * a member is bounded.
   */
  #sendAll(event: RoomEvent): void {
    const text = JSON.stringify(event);
    const slow: Member[] = [];
    for (const member of this.#members.values()) {
      if (member.isSlow) slow.push(member);
      else member.post(text);
    }
    for (const member of slow) {
      member.dismiss(TRY_AGAIN_LATER, "Too slow for this room");
      this.leave(member);
    }
  }
}

/** An application with a room of its own. */
export function createChat(): AsgiApp {
  const room = new Room();
  return async (scope, receive, send) => {
    if (scope.type === "http") return await sendPage(scope.path, send);
    if (scope.type !== "websocket") {
      throw new TypeError(`Unknown scope ${scope.type}`);
    }
    await receive();
    if (scope.path !== "/chat") return await send({ type: "websocket.close" });
    await send({ type: "websocket.accept" });
    const name = nameOf(scope);
    if (name === "") {
      const reason = "Who are you?";
      return await send({ type: "websocket.close", code: NO_NAME, reason });
    }
    const member = room.join(name, send);
    try {
      for (let event; (event = await receive()).type === "websocket.receive";) {
        if (!room.has(member)) return;
        if (event.text === null) {
          return member.dismiss(UNSUPPORTED_DATA, "Text, please");
        }
        if (event.text.trim() !== "") await room.say(member, event.text);
      }
    } finally {
      // However it has ended: closed, lost, or by an error.
      room.leave(member);
    }
  };
}

function nameOf(scope: WebSocketScope): string {
  const name = new URLSearchParams(scope.query_string).get("name") ?? "";
  const characters = [...name.trim().replaceAll(/\s+/g, " ")];
  return characters.slice(0, MAX_NAME_LENGTH).join("");
}

async function sendPage(path: string, send: Send): Promise<void> {
  if (path !== "/") return await respond(send, 404, { body: "Not found\n" });
  await respond(send, 200, {
    headers: [
      ["content-type", "text/html; charset=utf-8"],
      ["cache-control", "no-cache"],
    ],
    body: await Deno.readFile(PAGE),
  });
}

/** The chat with one room. */
export const app: AsgiApp = createChat();

if (import.meta.main) {
  serve(app, {
    port: Number(Deno.env.get("PORT") || 8000),
    signals: true,
    maxMessageBytes: MAX_MESSAGE_BYTES,
  });
}
