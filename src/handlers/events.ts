/** Events once more, for those who missed one, and live. */
import type { EventList } from "../store/store";
import { EventStream } from "./event_stream";
import type { Gateway, TagHandlers } from "./gateway";

/** Streams of one app at a time, on this instance. */
const maxStreams = 10;
/** Shorter than what proxies take for a dead connection. */
const heartbeatMs = 15_000;
const slowMs = 10_000;

export function events({ store }: Gateway): TagHandlers<"events"> {
  const open = new Map<string, number>();
  const release = (app_id: string) => {
    const left = (open.get(app_id) ?? 0) - 1;
    if (left > 0) open.set(app_id, left);
    else open.delete(app_id);
  };

  return {
    async listSessionEvents({ app, params, query: { after, limit } }) {
      const list = await store.sessionEvents(app.app_id, params.uuid, after, limit);
      return { status: 200, body: shown(list, after) };
    },

    async listRoomEvents({ app, params, query: { after, limit } }) {
      const list = await store.roomEvents(app.app_id, params.room_id, after, limit);
      return { status: 200, body: shown(list, after) };
    },

    async streamEvents(call) {
      const { app, query, headers } = call;
      const { app_id } = app;
      const others = open.get(app_id) ?? 0;
      if (others >= maxStreams) throw call.error("429 Too many event streams");
      // Taken before anything is waited for, or two could take the last one.
      open.set(app_id, others + 1);
      try {
        const { position, known } = await store.feedPosition(app_id, headers["Last-Event-ID"] || null);
        const { session_uuid } = query;
        const closed = () => release(app_id);
        const body = new EventStream({ store, app, position, known, session_uuid, heartbeatMs, slowMs, closed });
        return { status: 200, body };
      } catch (error) {
        release(app_id);
        throw error;
      }
    },
  };
}

function shown({ events: list }: EventList, after: number) {
  return { events: list.map(({ event }) => JSON.parse(event.body)), next_after: list.at(-1)?.number ?? after };
}
