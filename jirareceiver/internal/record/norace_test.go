//go:build !race

package record

// mutantStep takes all mutants.
const mutantStep = 1
