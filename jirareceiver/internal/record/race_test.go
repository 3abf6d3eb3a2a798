// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package record

// mutantStep leaves most mutants out: with the race detector, each takes ten times as long.
const mutantStep = 10
