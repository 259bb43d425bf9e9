/** The order of checks by its steps, as errors are numbered by them. */
export interface Step {
  readonly title: string;
  /** Markdown. */
  readonly about: string;
}

export const steps: Readonly<Record<number, Step>> = {
  1: {
    title: "The bytes are HTTP",
    about: "Below the router: the request line, the headers, their size and their time.",
  },
  2: {
    title: "The gateway takes requests",
    about: "Shut down, then overloaded. `/live`, `/health` and `/metrics` pass both.",
  },
  3: {
    title: "There is such a route",
    about: "A trailing slash makes another one. An unknown command of a call is no 404: it goes on like a command.",
  },
  4: { title: "The route has the method", about: "`Allow` names those that it has." },
  5: {
    title: "Who is asking",
    about:
      "Routes of apps look at `X-App-ID`, then at `X-API-Key`; those of the administration at `X-Admin-API-Key`. Who fails too often in one second is turned away before his key is looked at.",
  },
  6: {
    title: "The quota",
    about: "Every request that got here counts, refused and replayed ones, too.",
  },
  7: {
    title: "The body can be read",
    about:
      "Its type, then its size, then whether it is a JSON object. Only for requests that carry one, where the route reads one.",
  },
  8: {
    title: "Parameters and fields",
    about:
      "Parameters first. Of the body: missing fields in the order of the table, unknown ones, each field in that order, then what must hold between them.",
  },
  9: {
    title: "What it is about",
    about: "The call, room, app or file is there, then whether it is the caller's own.",
  },
  10: {
    title: "Has it been done before",
    about: "A `command_uid` that was seen is answered from memory, or refused when it names something else.",
  },
  11: { title: "The feature is on", about: "What the gateway or the media server cannot do at all." },
  12: { title: "The state allows it", about: "The state of the call, the room or the numbers." },
  13: {
    title: "The cooldown is over",
    about:
      "Commands of one rate group share one window for each call or room. What a step before has refused uses up nothing.",
  },
  14: { title: "The work itself", about: "The media server takes it, or says why not, or says nothing in time." },
};
