module frontdesk.bench/pace

go 1.19
