// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package record

// mutantStep takes all mutants.
const mutantStep = 1
