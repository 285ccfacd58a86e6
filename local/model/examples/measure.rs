//! Measures a model file: `cargo run --profile local -p local-model --example measure [-- MODEL.gguf]`.
//! Without a file it takes the one in the cache, fetched on first use.
//! Prints the time to load, and for a first question, a second with the same system prompt, and a follow-up turn:
//! the time to the first token and the tokens per second after it.

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use local_bedrock::{Generator, Prompt, Step};
use serde_json::{Value, json};

const SYSTEM: &str = "You give no medical and no legal advice: if you are asked for any, you say so kindly and point to \
    a professional. You speak like a good friend: relaxed, warm, short sentences, now and then a 'bro'.";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = match std::env::args_os().nth(1) {
        Some(path) => PathBuf::from(path),
        None => local_model::fetch(&local_model::default_cache_dir().ok_or("no home directory")?, |progress| {
            // A progress display that cannot be written is no reason to give up.
            let _unwritten = writeln!(io::stderr(), "{progress:?}");
        })?,
    };
    let started = Instant::now();
    let model: Arc<dyn Generator> = Arc::new(local_model::load(&path)?.with_seed(1));
    writeln!(io::stdout(), "loaded in {:.2} s", started.elapsed().as_secs_f64())?;
    let turn = |role: &str, text: &str| json!({"role": role, "content": [{"text": text}]});
    let mut talk = vec![turn("user", "Yo, name three colours and say why you like them.")];
    let answer = ask(&model, "first question", &talk).await?;
    ask(&model, "same system prompt", &[turn("user", "Hey, what is a good breakfast for a long day?")]).await?;
    talk.extend([turn("assistant", &answer), turn("user", "Which of them is best?")]);
    ask(&model, "follow-up", &talk).await?;
    Ok(())
}

async fn ask(model: &Arc<dyn Generator>, what: &str, messages: &[Value]) -> Result<String, Box<dyn Error>> {
    let body = json!({
        "system": [{"text": SYSTEM}],
        "messages": messages,
        "inferenceConfig": {"maxTokens": 150, "temperature": 0.3},
    });
    let asked = Instant::now();
    let generation = model.generate(Prompt::parse(body.to_string().as_bytes())?)?;
    let input_tokens = generation.input_tokens();
    let mut steps = generation.into_steps();
    let (mut text, mut tokens, mut first) = (String::new(), 0, Duration::ZERO);
    while let Some(step) = steps.next().await {
        if let Step::Piece(piece) = step? {
            if tokens == 0 {
                first = asked.elapsed();
            }
            tokens += piece.tokens;
            text.push_str(&piece.text);
        }
    }
    let rate = f64::from(tokens.saturating_sub(1)) / (asked.elapsed() - first).as_secs_f64();
    let first = first.as_millis();
    writeln!(io::stdout(), "{what}: {input_tokens} tokens in, first token after {first} ms, then {rate:.1} tokens/s")?;
    writeln!(io::stdout(), "  {}", text.replace('\n', "\n  "))?;
    Ok(text)
}
