// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// part is a part of the active side with an error of its own.
type part int

// The parts, the most important first.
const (
	partPolling part = iota
	partIdentity
	partRegistration
	partSilence
	parts // number of parts
)

// status is the status of the receiver, as far as the active side knows it: an error while a part has one.
type status struct {
	host component.Host

	mu     sync.Mutex
	errors [parts]error
}

// set sets the error of a part, or nil, and reports the status if it has changed.
func (s *status) set(p part, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fmt.Sprint(err) == fmt.Sprint(s.errors[p]) {
		return
	}
	s.errors[p] = err
	if all := errors.Join(s.errors[:]...); all != nil {
		componentstatus.ReportStatus(s.host, componentstatus.NewRecoverableErrorEvent(all))
		return
	}
	componentstatus.ReportStatus(s.host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// end reports an error that no later request can mend.
func (s *status) end(err error) {
	componentstatus.ReportStatus(s.host, componentstatus.NewPermanentErrorEvent(err))
}
