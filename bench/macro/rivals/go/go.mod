module frontdesk.bench/reverseproxy

go 1.19
