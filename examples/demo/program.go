// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// program is a running program.
type program struct {
	command *exec.Cmd
	log     string
	ended   chan struct{}
}

// start runs a program. Its output goes to a file, or without a name of a file to the terminal.
func (d *demo) start(log, name string, args ...string) (*program, error) {
	p := &program{command: exec.Command(name, args...), ended: make(chan struct{})} //nolint:gosec // the user says which
	p.command.Env = append(os.Environ(), "DEMO_JIRA="+d.receiver, "DEMO_API="+d.api, "DEMO_VICTORIALOGS="+d.database,
		"DEMO_DIRECTORY="+d.dir, "DEMO_START="+time.Now().Add(-history).Format(time.DateOnly), "JIRA_API_TOKEN=demo")
	p.command.Stdout, p.command.Stderr = os.Stdout, os.Stderr
	// Ctrl-C is for this program alone, which ends the others one after the other.
	p.command.SysProcAttr = ownGroup()
	if log != "" {
		p.log = filepath.Join(d.dir, log)
		file, err := os.Create(p.log)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }() // the program has its own
		p.command.Stdout, p.command.Stderr = file, file
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("%w: start the demo with `make demo`, which builds what it needs", err)
	}
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop ends the program, at the latest after a while. A nil program does not run.
func (p *program) stop() {
	if p == nil {
		return
	}
	terminate(p.command.Process)
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// fault returns an error with the end of the log of a program that has ended.
func (p *program) fault() error {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err
	}
	const end = 2000
	return fmt.Errorf("%s ended:\n%s", filepath.Base(p.command.Path), content[max(0, len(content)-end):])
}
