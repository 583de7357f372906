module frontdesk.bench/handshakes

go 1.19
