/**
 * The ends of cycles whose events come from an `EventSource`.
 *
 * @module
 */

import type { EventOrigin, EventSource } from "../streams/event_streams.ts";
import {
  type ReceiveFunction,
  receiveOf as receiveOfEnd,
  type SendEnd,
} from "./receive_and_send.ts";

export { sendOf } from "./receive_and_send.ts";

/** Where the events of one call of an application come from, and go to. */
export interface EventPort<In, Out> extends EventOrigin<In>, SendEnd<Out> {
  /** The events for the application. */
  readonly source: EventSource<In>;
}

/** The `receive` of a port. */
export function receiveOf<In>(port: EventPort<In, never>): ReceiveFunction<In> {
  return receiveOfEnd({
    read: () => port.source.read(),
    isLast: (event) => port.isLast(event),
  });
}
