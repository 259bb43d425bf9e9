/** Names of events, as the document has them. */
import { eventSources } from "../../generated/operations";
import type { EventName } from "../client/index";
import { WrongUse } from "./command";
import { nearest } from "./nearest";

export const eventNames: readonly string[] = Object.keys(eventSources);

/** @throws WrongUse with the name that was most likely meant */
export function eventName(text: string): EventName {
  if (isEventName(text)) return text;
  const near = nearest(text, eventNames);
  throw new WrongUse(`there is no event ${text}${near === null ? "" : `: did you mean ${near}?`}`);
}

function isEventName(text: string): text is EventName {
  return Object.hasOwn(eventSources, text);
}
