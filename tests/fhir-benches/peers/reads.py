"""Reads a patient many times: `python reads.py BASE COUNT`. Prints the seconds that the reads took, warmed up before."""

import sys
import time

from fhirpy import SyncFHIRClient

base, count = sys.argv[1], int(sys.argv[2])
client = SyncFHIRClient(base, authorization="Bearer token")


def some(times):
    for _ in range(times):
        patient = client.reference("Patient", "1").to_resource()
        if patient["resourceType"] != "Patient":
            raise SystemExit("that is no patient")


some(50)
begin = time.perf_counter()
some(count)
print(time.perf_counter() - begin)
