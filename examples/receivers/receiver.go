// WEBHOOK_SECRET=whsec_... PORT=8090 go run receiver.go: takes each event once, and those of a call in their order.
package main; import ("crypto/hmac"; "crypto/sha256"; "encoding/base64"; "encoding/json"; "fmt"; "io")
import ("net"; "net/http"; "os"; "strconv"; "strings"; "sync"; "time")
type Event struct { Event string; Session string `json:"session_uuid"`; Room string `json:"room_id"`; Sequence int; Data any }
var secret, _ = base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("WEBHOOK_SECRET"), "whsec_"))
var effects, newest = map[string]int{}, map[string][2]int{} // by webhook-id; sequence, and when it came, by call or room
var last, taken, lock = [10000][2]string{}, 0, sync.Mutex{} // webhook-id and call or room of what was taken
// Your application. What it fails with is answered 500, and the gateway sends the event again. Queue what is slow.
func handle(event Event, source string) error { _, err := fmt.Println(event.Event, source, event.Sequence); return err }
func genuine(id, seconds, signatures string, body []byte) (found bool) {
	mac := hmac.New(sha256.New, secret); fmt.Fprintf(mac, "%s.%s.%s", id, seconds, body)
	wanted := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for _, given := range strings.Fields(signatures) { found = hmac.Equal(wanted, []byte(given)) || found }
	when, err := strconv.ParseInt(seconds, 10, 64)
	return found && len(secret) > 0 && err == nil && time.Since(time.Unix(when, 0)).Abs() <= 5*time.Minute
}
func take(id string, event Event, source string) int { lock.Lock(); defer lock.Unlock()
	// No number is sent for the first time before all lower ones are settled: what is not newer is a repeat.
	if effects[id] > 0 || event.Sequence <= newest[source][0] { return 204 }
	if handle(event, source) != nil { return 500 } // Before it is remembered: what fails comes again.
	old, forget := last[taken%10000], func() { lock.Lock(); defer lock.Unlock(); delete(newest, source) }
	if delete(effects, old[0]); newest[old[1]][1] == taken-10000 { delete(newest, old[1]) }
	effects[id], newest[source], last[taken%10000] = 1, [2]int{event.Sequence, taken}, [2]string{id, source}
	if taken++; event.Event == "call.hangup" { time.AfterFunc(10*time.Minute, forget) }
	return 204
}
func answer(w http.ResponseWriter, r *http.Request, event Event, get func(string) string) int {
	if r.URL.Path != "/" { return 404 } else if r.Method != "POST" { return 405 }
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil { return 413 } else if !genuine(get("webhook-id"), get("webhook-timestamp"), get("webhook-signature"), body) { return 401 }
	if json.Unmarshal(body, &event) != nil || event.Session+event.Room == "" { return 400 }
	return take(get("webhook-id"), event, event.Session+event.Room) // One of the two is there.
}
func probe(w http.ResponseWriter, _ *http.Request) { lock.Lock(); defer lock.Unlock(); json.NewEncoder(w).Encode(map[string]any{"effects": effects}) }
func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(answer(w, r, Event{}, r.Header.Get)) })
	if os.Getenv("VOICEGATE_PROBE") == "1" { http.HandleFunc("/voicegate-probe", probe) }
	listener, err := net.Listen("tcp", ":" + os.Getenv("PORT")); fmt.Println("receiver ready", err)
	fmt.Println((&http.Server{ReadTimeout: 10 * time.Second}).Serve(listener))
}
