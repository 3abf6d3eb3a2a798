//go:build !race

package jirareceiver

// mutantStep takes all mutants.
const mutantStep = 1
