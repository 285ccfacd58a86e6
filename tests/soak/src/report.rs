//! What a person gets to see: a line now and then, and a table at the end.

use std::io::{self, Write};
use std::time::Duration;

use crate::growth::{self, MOST_KIB_PER_1000, Memory, NOISE_KIB, OWN_NOISE_KIB, Sample};
use crate::tally::Tally;

/// One line about the time so far.
pub(crate) fn progress(out: &mut dyn Write, elapsed: Duration, tally: &Tally, last: Option<&Sample>) -> io::Result<()> {
    let memory = last.filter(|sample| !sample.function.is_empty()).map(|sample| {
        let total: u64 = sample.function.iter().map(|usage| usage.rss_kib).sum();
        format!(" · {} processes, {:.1} MiB", sample.function.len(), mib(total))
    });
    writeln!(
        out,
        "{:>5.0} s · {} requests · {} faults · first token p50 {:.1} ms, p99 {:.1} ms{} · {} failures",
        elapsed.as_secs_f64(),
        tally.requests,
        tally.faults.values().sum::<u64>(),
        tally.first_token_ms(0.5),
        tally.first_token_ms(0.99),
        memory.unwrap_or_default(),
        tally.failures()
    )
}

/// The whole of it.
pub(crate) fn table(out: &mut dyn Write, elapsed: Duration, tally: &Tally, samples: &[Sample]) -> io::Result<()> {
    let seconds = elapsed.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "2^53 requests are none of our worries")]
    let requests = tally.requests as f64;
    writeln!(out, "\n{:>9}  requests in {seconds:.0} s, {:.1} a second", tally.requests, requests / seconds)?;
    for (outcome, count) in &tally.outcomes {
        writeln!(out, "{count:>9}    {outcome}")?;
    }
    let kinds = crate::faults::all().len();
    writeln!(out, "{:>9}  faults, of {} of {kinds} kinds", tally.faults.values().sum::<u64>(), tally.faults.len())?;
    for (fault, count) in &tally.faults {
        writeln!(out, "{count:>9}    {fault}")?;
    }
    writeln!(
        out,
        "first token of undisturbed replies, as the client sees it: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms",
        tally.first_token_ms(0.5),
        tally.first_token_ms(0.9),
        tally.first_token_ms(0.99)
    )?;
    let Some(last) = samples.last().filter(|sample| !sample.function.is_empty()) else {
        return writeln!(out, "memory, descriptors, threads and processor time: only seen on Linux, and not judged");
    };
    memory(out, &format!("the function, {} processes", last.function.len()), growth::of_the_function(samples))?;
    memory(out, "this process, with both stand-ins and the client", growth::of_the_stand_ins(samples))?;
    writeln!(
        out,
        "  (a slope above {MOST_KIB_PER_1000:.0} KiB per 1,000 requests is a failure, once it has added {NOISE_KIB:.0} KiB \
         for each of the function's processes, {OWN_NOISE_KIB:.0} KiB for this one)"
    )?;
    let (function, own) = (last.function.iter().map(|usage| usage.cpu).sum(), last.own.map(|usage| usage.cpu));
    let each = |cpu: Duration| cpu.as_secs_f64() * 1_000.0 / requests.max(1.0);
    writeln!(
        out,
        "processor time a request: the function {:.2} ms, this process {:.2} ms",
        each(function),
        each(own.unwrap_or_default())
    )?;
    for usage in last.function.iter().chain(&last.own) {
        writeln!(
            out,
            "  process {}: {:.1} MiB, {} file descriptors, {} threads, {:.1} s of processor time",
            usage.pid,
            mib(usage.rss_kib),
            usage.descriptors,
            usage.threads,
            usage.cpu.as_secs_f64()
        )?;
    }
    Ok(())
}

fn memory(out: &mut dyn Write, whose: &str, memory: Option<Memory>) -> io::Result<()> {
    match memory {
        Some(memory) => writeln!(
            out,
            "memory of {whose}: {:.1} MiB after the warm-up, {:.1} MiB at the end, {:+.1} KiB per 1,000 requests",
            mib(memory.start),
            mib(memory.end),
            memory.per_1000
        ),
        None => writeln!(out, "memory of {whose}: too few samples to judge"),
    }
}

/// Every failure that was kept, and the verdict.
pub(crate) fn verdict(out: &mut dyn Write, seed: u64, tally: &Tally) -> io::Result<()> {
    if tally.failures() == 0 {
        return writeln!(out, "\nok: every request came to what it had to. Seed {seed}");
    }
    writeln!(out, "\n{} FAILURES (seed {seed}), the first of them:", tally.failures())?;
    tally.kept().iter().try_for_each(|failure| writeln!(out, "  - {failure}"))
}

#[expect(clippy::cast_precision_loss, reason = "2^53 KiB are none of our worries")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
