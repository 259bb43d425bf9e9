import { redisPlace } from "../redis/place";
import { storeSuite } from "./suite";

const place = redisPlace();

storeSuite("redis", () => place.make());
