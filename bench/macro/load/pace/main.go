// pace sends GET requests at a fixed mean rate with Poisson arrivals (the same sequence for the same seed), whatever the
// server does: an open loop. Latency counts from the moment a request was due, so a stall is charged to every request it
// delays. One thread, epoll and a timerfd: due times are kept to microseconds. Prints one line of JSON.
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
	head   []byte // the response head so far
	body   int    // body bytes still to come, once the head is complete
	inBody bool
}

type pacer struct {
	request  []byte
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
	if n, err := syscall.Write(c.fd, p.request); err != nil || n != len(p.request) {
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
		data = c.head[end+4:]
	}
	c.body -= len(data)
	if c.body > 0 {
		return
	}
	if c.body < 0 || !bytes.HasPrefix(c.head, []byte("HTTP/1.1 200 ")) {
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

// run offers requests for the given time, then waits up to two seconds for what is in flight.
func (p *pacer) run(rate float64, length time.Duration, seed int64) int {
	random := rand.New(rand.NewSource(seed))
	timer := p.timerfd()
	events := make([]syscall.EpollEvent, 128)
	offered := 0
	next := time.Duration(0)
	p.clock = time.Now()
	for {
		now := p.now()
		for next <= now && next < length {
			offered++
			if len(p.free) > 0 { // the longest idle first, so that all connections are used
				c := p.free[0]
				p.free = p.free[1:]
				p.send(c, next)
			} else {
				p.waiting = append(p.waiting, next)
			}
			next += time.Duration(random.ExpFloat64() / rate * float64(time.Second))
		}
		if now >= length {
			p.waiting = p.waiting[:0:0]
			if len(p.free) == len(p.peers) || now > length+2*time.Second {
				return offered
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
	rate := flag.Float64("rate", 1000, "requests per second")
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
		request: []byte("GET " + *path + " HTTP/1.1\r\nHost: " + *target + "\r\n\r\n"),
		peers:   map[int32]*peer{}, buffer: make([]byte, 1<<18),
		latency: make([]time.Duration, 0, int(*rate**seconds*1.2)+1000),
	}
	p.address.Port = address.Port
	copy(p.address.Addr[:], address.IP.To4())
	if p.epoll, err = syscall.EpollCreate1(0); err != nil {
		fatal("epoll_create: %v", err)
	}
	for i := 0; i < *connections; i++ {
		p.free = append(p.free, p.connect())
	}
	offered := p.run(*rate, time.Duration(*seconds*float64(time.Second)), *seed)
	elapsed := p.now()
	sort.Slice(p.latency, func(i, j int) bool { return p.latency[i] < p.latency[j] })
	line, _ := json.Marshal(report{
		Offered: offered, Completed: len(p.latency), Unsent: offered - len(p.latency) - p.errors, Errors: p.errors,
		Seconds: elapsed.Seconds(), P50: p.quantile(0.5), P99: p.quantile(0.99), P999: p.quantile(0.999), Max: p.quantile(1),
	})
	fmt.Println(string(line))
}
