# Adds up the statements of a Go coverage profile and fails below `min` per cent. It does not count generated code, nor
# the programs and test helpers around the receiver. A block in the profiles of several test binaries counts once. It is
# covered if any of them covered it.
/^mode:/ || /\/generated_|\/internal\/metadata(test)?\/|\/jirareceiver\/cmd\/|\/internal\/bench\/|\/internal\/jirasim\/|\/internal\/(golden|testbodies|docgen)\// { next }
{ statements[$1] = $2; if ($3 > 0) covered[$1] = 1 }
END {
	for (block in statements) { total += statements[block]; if (block in covered) hit += statements[block] }
	percent = total ? 100 * hit / total : 0
	printf "coverage of jirareceiver without generated code: %.1f %% of %d statements, at least %d %% wanted\n", percent, total, min
	exit percent < min
}
