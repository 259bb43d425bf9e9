<?php // WEBHOOK_SECRET=whsec_... php -S 127.0.0.1:8090 receiver.php: takes each event once, and those of a call in order.
/** Your application. What it throws is answered 500, and the gateway sends the event again. Queue what is slow. */
function handle(array $event, string $source): void { error_log("$event[event] $source $event[sequence]"); }
function genuine(string $id, string $seconds, string $signatures, string $body): bool {
    $key = base64_decode(preg_replace('/^whsec_/', '', getenv('WEBHOOK_SECRET') ?: ''), true);
    if (!$key || !preg_match('/^\d{1,12}$/D', $seconds) || abs(time() - (int) $seconds) > 300) return false;
    $wanted = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$seconds.$body", $key, true));
    return array_filter(explode(' ', $signatures), fn($given) => hash_equals($wanted, $given)) !== [];
}
/** To PHP each request is a program of its own: what they know of each other is in a file. Nothing is kept when `use` throws. */
function state(callable $use): array {
    flock($file = fopen(getenv('STATE') ?: __DIR__ . '/receiver.json', 'c+'), LOCK_EX);
    $old = json_decode(stream_get_contents($file), true) ?? ['effects' => [], 'newest' => [], 'ended' => []];
    $new = array_map(fn($known) => array_slice($known, -10_000, null, true), $use($old));
    if ($new !== $old) rewind($file) && ftruncate($file, 0) && fwrite($file, json_encode($new));
    return $new;
}
function take(array $state, string $id, array $event, string $source): array {
    // No number is sent for the first time before all lower ones are settled: what is not newer is a repeat.
    if (isset($state['effects'][$id]) || $event['sequence'] <= ($state['newest'][$source] ?? 0)) return $state;
    handle($event, $source); // Before it is remembered: what fails comes again.
    $state['effects'][$id] = 1;
    $state['newest'][$source] = $event['sequence'];
    if ($event['event'] === 'call.hangup') $state['ended'][$source] = time() + 600;
    $state['newest'] = array_diff_key($state['newest'], array_filter($state['ended'], fn($at) => $at < time()));
    return $state;
}
function answer(string $path, string $id, string $seconds, string $signatures): int|string {
    if ($path === '/voicegate-probe' && getenv('VOICEGATE_PROBE') === '1') return json_encode(['effects' => (object) state(fn($now) => $now)['effects']]);
    if ($path !== '/' || $_SERVER['REQUEST_METHOD'] !== 'POST') return $path === '/' ? 405 : 404;
    $body = file_get_contents('php://input', false, null, 0, (1 << 20) + 1);
    if (strlen($body) > 1 << 20 || !genuine($id, $seconds, $signatures, $body)) return strlen($body) > 1 << 20 ? 413 : 401;
    $event = json_decode($body, true);
    $source = $event['session_uuid'] ?? $event['room_id'] ?? null;
    if (!is_string($source) || !is_int($event['sequence'] ?? null)) return 400;
    state(fn($now) => take($now, $id, $event, $source));
    return 204;
}
$answer = answer($_SERVER['REQUEST_URI'], ...array_map(fn($name) => $_SERVER["HTTP_WEBHOOK_$name"] ?? '', ['ID', 'TIMESTAMP', 'SIGNATURE']));
is_string($answer) ? print($answer) : http_response_code($answer);
