package main

import (
	"fmt"
	"os"
	"time"
)

const soakSamples = 20

// soak puts a steady load on one contender, and looks at its memory again and again.
func soak(c contender, file string, l load) (err error) {
	if l.body, err = os.ReadFile(file); err != nil {
		return err
	}
	fmt.Printf("\n%d bytes, %d deliveries/s for %s\n\n| after | deliveries | resident MB |\n|---|---|---|\n", len(l.body), l.rate, l.duration)
	p, err := start(c)
	if err != nil {
		return err
	}
	defer p.stop()
	client := newClient(l.connections)
	defer client.CloseIdleConnections()
	began, delivered := time.Now(), 0
	part := l
	part.duration = l.duration / soakSamples
	for range soakSamples {
		took, failed := part.run(client, p.url)
		if failed > 0 {
			return fmt.Errorf("%d deliveries were not accepted", failed)
		}
		delivered += len(took)
		resident, err := memory(p.pid(), "VmRSS:")
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %d | %.1f |\n", time.Since(began).Round(time.Second), delivered, float64(resident)/1e6)
	}
	return nil
}
