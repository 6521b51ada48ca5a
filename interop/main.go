// SPDX-License-Identifier: Apache-2.0

// Interop has the Go project's reference code for transparency logs, golang.org/x/mod/sumdb/note
// and golang.org/x/mod/sumdb/tlog, judge what Countermark wrote, and writes logs for Countermark to
// judge. See README.md in this folder.
//
//	interop check FILE    judge the cases in a file; exit 1 if a verdict differs from the file's
//	interop make          write a file of cases made by the reference code
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "check":
		err = checkFile(os.Args[2])
	case len(os.Args) == 2 && os.Args[1] == "make":
		err = makeFile()
	default:
		fmt.Fprintln(os.Stderr, "usage: interop check FILE | interop make")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func checkFile(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var cases Cases
	if err := json.Unmarshal(data, &cases); err != nil {
		return err
	}
	tally := judge(cases)
	if err := json.NewEncoder(os.Stdout).Encode(tally); err != nil {
		return err
	}
	if tally.Disagreements > 0 {
		return fmt.Errorf("%d disagreements", tally.Disagreements)
	}
	return nil
}

func makeFile() error {
	cases, err := reference()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(cases)
}
