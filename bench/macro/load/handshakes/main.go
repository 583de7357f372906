// handshakes opens TLS connections as fast as the server takes them, a fixed number at once, and sends one GET on each,
// which asks the server to close. With -resume each connection offers the newest session ticket of the ones before, else
// none. Connections under way at the end are waited for, so all that the server did is counted. Prints one line of JSON.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type load struct {
	address string
	request []byte
	config  *tls.Config
	until   time.Time
}

// tally is one worker's own, so that counting needs no lock.
type tally struct {
	latency  []time.Duration
	resumed  int
	errors   int
	first    error
	versions map[string]int
}

type report struct {
	Completed int            `json:"completed"`
	Resumed   int            `json:"resumed"`
	Errors    int            `json:"errors"`
	First     string         `json:"firstError"`
	Versions  map[string]int `json:"negotiated"`
	Seconds   float64        `json:"seconds"`
	P50       float64        `json:"p50Us"`
	P99       float64        `json:"p99Us"`
}

func fatal(format string, a ...any) {
	fmt.Fprintf(os.Stderr, "handshakes: "+format+"\n", a...)
	os.Exit(1)
}

// once opens a connection, sends the request and reads until the server has ended the connection in order.
func (l *load) once(buffer []byte) (tls.ConnectionState, error) {
	var state tls.ConnectionState
	raw, err := net.Dial("tcp4", l.address)
	if err != nil {
		return state, err
	}
	conn := tls.Client(raw, l.config)
	defer conn.Close()
	_ = raw.SetDeadline(time.Now().Add(10 * time.Second))
	if err := conn.Handshake(); err != nil {
		return state, err
	}
	state = conn.ConnectionState()
	if _, err := conn.Write(l.request); err != nil {
		return state, err
	}
	length := 0
	for {
		n, err := conn.Read(buffer[length:])
		length += n
		if err == io.EOF { // after close_notify; without one it would be io.ErrUnexpectedEOF
			return state, check(buffer[:length])
		}
		if err != nil {
			return state, err
		}
		if length == len(buffer) {
			return state, fmt.Errorf("answer of more than %d bytes", length)
		}
	}
}

// check wants status 200 and as many bytes as Content-Length says.
func check(answer []byte) error {
	end := bytes.Index(answer, []byte("\r\n\r\n"))
	if end < 0 || !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("not an answer with status 200: %.40q", answer)
	}
	head := bytes.ToLower(answer[:end+2])
	name := []byte("\r\ncontent-length:")
	at := bytes.Index(head, name)
	if at < 0 {
		return fmt.Errorf("answer without Content-Length")
	}
	value := head[at+len(name):]
	value = bytes.TrimSpace(value[:bytes.IndexByte(value, '\r')])
	if length, err := strconv.Atoi(string(value)); err != nil || length != len(answer)-end-4 {
		return fmt.Errorf("%d bytes of body, Content-Length %q", len(answer)-end-4, value)
	}
	return nil
}

func (l *load) work(t *tally) {
	buffer := make([]byte, 1<<16)
	for time.Now().Before(l.until) {
		start := time.Now()
		state, err := l.once(buffer)
		if err != nil {
			if t.errors++; t.first == nil {
				t.first = err
			}
			if t.errors > 100 {
				return
			}
			continue
		}
		t.latency = append(t.latency, time.Since(start))
		if state.DidResume {
			t.resumed++
		}
		t.versions[versionName(state.Version)+" "+tls.CipherSuiteName(state.CipherSuite)]++
	}
}

func versionName(version uint16) string {
	if version == tls.VersionTLS13 {
		return "TLS 1.3"
	}
	return fmt.Sprintf("%#04x", version)
}

// countingCache tells whether the server gave a ticket at all.
type countingCache struct {
	tls.ClientSessionCache
	puts atomic.Int64
}

func (c *countingCache) Put(key string, session *tls.ClientSessionState) {
	if session != nil {
		c.puts.Add(1)
	}
	c.ClientSessionCache.Put(key, session)
}

func main() {
	target := flag.String("address", "", "host:port, IPv4")
	name := flag.String("name", "localhost", "server name (SNI)")
	path := flag.String("path", "/", "request target")
	seconds := flag.Float64("seconds", 4, "how long to open connections")
	connections := flag.Int("connections", 64, "how many at once")
	resume := flag.Bool("resume", false, "resume sessions")
	flag.Parse()
	debug.SetGCPercent(1000)

	// Who the server is has been checked before; here it would only cost the load its share of the core.
	config := &tls.Config{ServerName: *name, InsecureSkipVerify: true}
	cache := &countingCache{ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	if *resume {
		config.ClientSessionCache = cache
	}
	l := &load{
		address: *target, config: config,
		request: []byte("GET " + *path + " HTTP/1.1\r\nHost: " + *target + "\r\nConnection: close\r\n\r\n"),
	}
	if *resume { // one full handshake for all, so that the rest can resume
		if _, err := l.once(make([]byte, 1<<16)); err != nil {
			fatal("%v", err)
		}
		if cache.puts.Load() == 0 {
			fatal("the server sent no session ticket")
		}
	}
	tallies := make([]tally, *connections)
	start := time.Now()
	l.until = start.Add(time.Duration(*seconds * float64(time.Second)))
	var group sync.WaitGroup
	for i := range tallies {
		tallies[i].versions = map[string]int{}
		group.Add(1)
		go func(t *tally) {
			defer group.Done()
			l.work(t)
		}(&tallies[i])
	}
	group.Wait()
	print(tallies, time.Since(start))
}

func print(tallies []tally, elapsed time.Duration) {
	all := report{Seconds: elapsed.Seconds(), Versions: map[string]int{}}
	latency := []time.Duration{}
	for _, t := range tallies {
		latency = append(latency, t.latency...)
		all.Resumed += t.resumed
		all.Errors += t.errors
		if t.first != nil {
			all.First = t.first.Error()
		}
		for version, count := range t.versions {
			all.Versions[version] += count
		}
	}
	sort.Slice(latency, func(i, j int) bool { return latency[i] < latency[j] })
	quantile := func(q float64) float64 {
		if len(latency) == 0 {
			return 0
		}
		return float64(latency[int(q*float64(len(latency)-1))].Nanoseconds()) / 1000
	}
	all.Completed, all.P50, all.P99 = len(latency), quantile(0.5), quantile(0.99)
	line, _ := json.Marshal(all)
	fmt.Println(string(line))
}
