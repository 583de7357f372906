// pace sends GET requests at a fixed mean rate with Poisson arrivals (the same sequence for the same seed), whatever the
// server does: an open loop. Latency counts from the moment a request was due, so a stall is charged to every request it
// delays. With -rate 0 each connection asks again when it has its answer: a closed loop. One thread, epoll and a timerfd:
// due times are kept to microseconds. Prints one line of JSON.
//
// Requests are for one path, or with -unique for that path and a number each, or with -list for the lines of a file in
// turn. An answer whose body came in one piece has to name the path that the list asked for.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// peer is one kept-alive connection, with at most one request on it.
type peer struct {
	fd     int
	due    time.Duration // when its request should have been sent; meaningful while busy
	busy   bool
	path   []byte // what was asked for, where a list says it
	head   []byte // the response head so far
	size   int    // of the body
	body   int    // of it still to come, once the head is complete
	inBody bool
}

type pacer struct {
	targets
	address  syscall.SockaddrInet4
	epoll    int
	peers    map[int32]*peer
	free     []*peer
	waiting  []time.Duration // due times of requests that found every connection busy
	latency  []time.Duration
	errors   int
	closures int
	buffer   []byte
	clock    time.Time
	closed   bool          // a closed loop
	length   time.Duration // requests are made until then
	offered  int
}

type report struct {
	Offered   int     `json:"offered"`
	Completed int     `json:"completed"`
	Unsent    int     `json:"unsent"`
	Errors    int     `json:"errors"`
	Seconds   float64 `json:"seconds"`
	P50       float64 `json:"p50Us"`
	P99       float64 `json:"p99Us"`
	P999      float64 `json:"p999Us"`
	Max       float64 `json:"maxUs"`
}

func fatal(format string, a ...any) {
	fmt.Fprintf(os.Stderr, "pace: "+format+"\n", a...)
	os.Exit(1)
}

// targets says what the next request is for.
type targets struct {
	request []byte   // the only one; with number or list the bytes before the path's end, used as a buffer
	rest    []byte   // what follows the path
	prefix  int      // length of the request up to what changes
	number  int64    // with -unique: the last one, counted up
	list    [][]byte // with -list
	at      int
	left    int // requests of the list still to be made; -1 without end
}

// next gives the bytes of a request and, where it comes from a list, its path. They are valid until the next call.
func (t *targets) next() (request, path []byte) {
	switch {
	case t.number > 0:
		t.number++
		t.request = append(strconv.AppendInt(t.request[:t.prefix], t.number, 10), t.rest...)
	case t.list != nil:
		path = t.list[t.at]
		if t.at++; t.at == len(t.list) {
			t.at = 0
		}
		if t.left > 0 {
			t.left--
		}
		t.request = append(append(t.request[:t.prefix], path...), t.rest...)
	}
	return t.request, path
}

// newTargets reads the list, if one is given.
func newTargets(host, path, list string, from int, once, unique bool) targets {
	t := targets{rest: []byte(" HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), left: -1}
	switch {
	case unique:
		t.request, t.number = []byte("GET "+path), time.Now().UnixNano()
	case list != "":
		text, err := os.ReadFile(list)
		if err != nil {
			fatal("%v", err)
		}
		t.request, t.list = []byte("GET "), bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		t.at = from % len(t.list)
		if once {
			t.left = len(t.list)
		}
	default:
		t.request = append([]byte("GET "+path), t.rest...)
	}
	t.prefix = len(t.request)
	return t
}

func (p *pacer) now() time.Duration { return time.Since(p.clock) }

func (p *pacer) connect() *peer {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		fatal("socket: %v", err)
	}
	if err := syscall.Connect(fd, &p.address); err != nil {
		fatal("connect: %v", err)
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	_ = syscall.SetNonblock(fd, true)
	c := &peer{fd: fd, head: make([]byte, 0, 2048)}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		fatal("epoll_ctl: %v", err)
	}
	p.peers[int32(fd)] = c
	return c
}

func (p *pacer) send(c *peer, due time.Duration) {
	c.due, c.busy, c.inBody, c.head = due, true, false, c.head[:0]
	request, path := p.next()
	c.path = path
	if n, err := syscall.Write(c.fd, request); err != nil || n != len(request) {
		p.broken(c)
	}
}

// broken replaces a connection that was closed; a request that was on it is an error.
func (p *pacer) broken(c *peer) {
	if c.busy {
		p.errors++
	}
	p.closures++
	if p.closures > 10000 {
		fatal("the server keeps closing connections")
	}
	delete(p.peers, int32(c.fd))
	for i, f := range p.free {
		if f == c {
			p.free = append(p.free[:i], p.free[i+1:]...)
			break
		}
	}
	_ = syscall.Close(c.fd)
	p.ready(p.connect())
}

func (p *pacer) ready(c *peer) {
	c.busy = false
	if p.closed && p.now() < p.length && p.left != 0 {
		p.offered++
		p.send(c, p.now())
		return
	}
	if len(p.waiting) > 0 {
		due := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.send(c, due)
		return
	}
	p.free = append(p.free, c)
}

func (p *pacer) readable(c *peer) {
	n, err := syscall.Read(c.fd, p.buffer)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return
	}
	if err != nil || n == 0 || !c.busy {
		p.broken(c)
		return
	}
	data := p.buffer[:n]
	if !c.inBody {
		c.head = append(c.head, data...)
		end := bytes.Index(c.head, []byte("\r\n\r\n"))
		if end < 0 {
			return
		}
		c.inBody, c.body = true, bodyLength(c.head[:end+2])
		c.size = c.body
		data = c.head[end+4:]
	}
	c.body -= len(data)
	if c.body > 0 {
		return
	}
	whole := len(data) == c.size
	if c.body < 0 || !bytes.HasPrefix(c.head, []byte("HTTP/1.1 200 ")) || whole && !bytes.Contains(data, c.path) {
		p.errors++
	} else {
		p.latency = append(p.latency, p.now()-c.due)
	}
	p.ready(c)
}

// bodyLength reads Content-Length; the benchmark's backend always sends it, so its absence is an error of the proxy.
func bodyLength(head []byte) int {
	lower := bytes.ToLower(head)
	name := []byte("\r\ncontent-length:")
	at := bytes.Index(lower, name)
	if at < 0 {
		fatal("answer without Content-Length: %q", head)
	}
	value := lower[at+len(name):]
	length, err := strconv.Atoi(string(bytes.TrimSpace(value[:bytes.IndexByte(value, '\r')])))
	if err != nil {
		fatal("bad Content-Length: %q", head)
	}
	return length
}

// timerfd makes an edge-triggered timer in the epoll set; arming it again also clears it.
func (p *pacer) timerfd() int {
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, 1 /* CLOCK_MONOTONIC */, 0, 0)
	if errno != 0 {
		fatal("timerfd_create: %v", errno)
	}
	const edgeTriggered = 1 << 31
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | edgeTriggered, Fd: int32(fd)}
	if err := syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, int(fd), &event); err != nil {
		fatal("epoll_ctl: %v", err)
	}
	return int(fd)
}

func arm(timer int, after time.Duration) {
	if after < 1 {
		after = 1
	}
	spec := [2]syscall.Timespec{{}, syscall.NsecToTimespec(int64(after))}
	syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, uintptr(timer), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

// run offers requests for the given time, or till the list ends, then waits up to two seconds for what is in flight.
func (p *pacer) run(rate float64, seed int64) {
	random := rand.New(rand.NewSource(seed))
	timer := p.timerfd()
	events := make([]syscall.EpollEvent, 128)
	next := time.Duration(0)
	p.clock = time.Now()
	if p.closed {
		next = p.length
		for all := p.free; len(all) > 0 && p.left != 0; all = all[1:] {
			p.free = all[1:]
			p.ready(all[0])
		}
	}
	for {
		now := p.now()
		for next <= now && next < p.length {
			p.offered++
			if len(p.free) > 0 { // the longest idle first, so that all connections are used
				c := p.free[0]
				p.free = p.free[1:]
				p.send(c, next)
			} else {
				p.waiting = append(p.waiting, next)
			}
			next += time.Duration(random.ExpFloat64() / rate * float64(time.Second))
		}
		if now >= p.length || p.left == 0 {
			p.waiting = p.waiting[:0:0]
			if len(p.free) == len(p.peers) || now > p.length+2*time.Second {
				return
			}
			arm(timer, 10*time.Millisecond)
		} else {
			arm(timer, next-now)
		}
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(p.epoll), uintptr(unsafe.Pointer(&events[0])),
			uintptr(len(events)), ^uintptr(0), 0, 0)
		if errno != 0 {
			continue
		}
		for _, event := range events[:n] {
			if c := p.peers[event.Fd]; c != nil {
				p.readable(c)
			}
		}
	}
}

func (p *pacer) quantile(q float64) float64 {
	if len(p.latency) == 0 {
		return 0
	}
	return float64(p.latency[int(q*float64(len(p.latency)-1))].Nanoseconds()) / 1000
}

func main() {
	target := flag.String("address", "", "host:port, IPv4")
	path := flag.String("path", "/", "request target")
	rate := flag.Float64("rate", 1000, "requests per second; 0 = as many as are answered")
	unique := flag.Bool("unique", false, "a number after the path, another one for each request")
	list := flag.String("list", "", "file with a path on each line, instead of one path")
	from := flag.Int("from", 0, "line to begin with, counted from 0")
	once := flag.Bool("once", false, "end with the last line of the list, whatever the time")
	seconds := flag.Float64("seconds", 4, "how long to offer requests")
	connections := flag.Int("connections", 64, "kept-alive connections")
	seed := flag.Int64("seed", 1, "seed of the arrival times")
	flag.Parse()
	runtime.LockOSThread()
	debug.SetGCPercent(-1) // a collection here would look like the proxy's latency

	address, err := net.ResolveTCPAddr("tcp4", *target)
	if err != nil {
		fatal("%v", err)
	}
	p := &pacer{
		targets: newTargets(*target, *path, *list, *from, *once, *unique),
		peers:   map[int32]*peer{}, buffer: make([]byte, 1<<18),
		latency: make([]time.Duration, 0, int(*rate**seconds*1.2)+1000),
		closed:  *rate == 0, length: time.Duration(*seconds * float64(time.Second)),
	}
	if *once {
		p.length = 5 * time.Minute
	}
	p.address.Port = address.Port
	copy(p.address.Addr[:], address.IP.To4())
	if p.epoll, err = syscall.EpollCreate1(0); err != nil {
		fatal("epoll_create: %v", err)
	}
	for i := 0; i < *connections; i++ {
		p.free = append(p.free, p.connect())
	}
	p.run(*rate, *seed)
	elapsed := p.now()
	sort.Slice(p.latency, func(i, j int) bool { return p.latency[i] < p.latency[j] })
	line, _ := json.Marshal(report{
		Offered: p.offered, Completed: len(p.latency), Unsent: p.offered - len(p.latency) - p.errors, Errors: p.errors,
		Seconds: elapsed.Seconds(), P50: p.quantile(0.5), P99: p.quantile(0.99), P999: p.quantile(0.999), Max: p.quantile(1),
	})
	fmt.Println(string(line))
}
