// Prints what upstream's parser of schedules makes of some: when each is due, and which are refused.
//
// The result is tests/core/cron_due.json: GOFLAGS=-mod=mod go run . > ../../../core/cron_due.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/robfig/cron/v3"
)

type row struct {
	Schedule string   `json:"schedule"`
	Zone     string   `json:"zone"`
	From     string   `json:"from"`
	Next     []string `json:"next"`
}

func main() {
	schedules := []string{"* * * * *", "*/5 * * * *", "30 * * * *", "0 0 * * *", "30 2 * * *", "30 1 * * *", "0 3 * * *", "15 2,3 * * *", "0 */6 * * *", "0 0 1 * *", "0 0 31 * *", "0 0 29 2 *", "0 0 31 2 *", "0 12 * * 1-5", "0 0 13 * 5", "0 0 */2 * 1", "0 0 * * sun", "5 4 ? JAN-mar *", "@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@every 1h30m", "@every 100ms", "@every 90s", "30 6-16/4 * * 1-5", "10/20 * * * *", "0 1-3 * * *", "59 23 * * *", ",0 0 * * *", "0-59/59 0 * * *", "*/1 * * * *", "0 0 1 1 */1", "45 23 28-31 * 0"}
	bad := []string{"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7", "5-1 * * * *", "*/0 * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "x * * * *", "@never", "@every x", "@every -5s", "-1 * * * *", "* * * foo *", "@every 5", "@every"}
	zones := []string{"UTC", "America/New_York", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata"}
	starts := []string{"2024-02-28T22:59:30Z", "2024-03-10T04:30:00Z", "2024-03-31T00:10:10Z", "2024-11-03T03:59:59Z", "2024-10-27T00:00:00Z", "2018-11-03T22:00:00Z", "2024-04-06T13:00:00Z", "2024-10-05T13:20:00Z"}
	out := map[string]any{}
	var rows []row
	for _, s := range schedules {
		for zi, z := range zones {
			for si, f := range starts {
				if (zi+si+len(s))%3 != 0 {
					continue
				}
				sched, err := cron.ParseStandard("TZ=" + z + " " + s)
				if err != nil {
					panic(s + err.Error())
				}
				t, _ := time.Parse(time.RFC3339, f)
				r := row{s, z, f, nil}
				for i := 0; i < 4; i++ {
					t = sched.Next(t)
					if t.IsZero() {
						break
					}
					r.Next = append(r.Next, t.UTC().Format(time.RFC3339))
				}
				rows = append(rows, r)
			}
		}
	}
	out["due"] = rows
	var refused []string
	for _, b := range bad {
		func() {
			defer func() {
				if recover() != nil {
					refused = append(refused, b)
				}
			}()
			if _, err := cron.ParseStandard(b); err != nil {
				refused = append(refused, b)
			} else {
				fmt.Fprintln(os.Stderr, "accepted", b)
			}
		}()
	}
	out["refused"] = refused
	json.NewEncoder(os.Stdout).Encode(out)
}
