//! A chat function on stock `lambda_runtime` and the AWS SDK, after `lambda_runtime`'s `basic-streaming-response`
//! example and the SDK's `ConverseStream` example.

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput, InferenceConfiguration, Message,
    StopReason, SystemContentBlock,
};
use lambda_runtime::streaming::{Body, Response, channel};
use lambda_runtime::{Error, LambdaEvent, MetadataPrelude, service_fn, tracing};
use serde::Deserialize;
use serde_json::{Value, json};

const SYSTEM: &str = "You are a friendly conversation partner. Keep replies short and useful: a few sentences at most.
You do not give medical or legal advice. When someone asks for it, say kindly that you cannot help with that, and point to a professional.
Talk like a good friend: casual, warm and upbeat, with light slang, never crude. Get to the point.";

#[derive(Deserialize)]
struct Chat {
    message: String,
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

async fn function(bedrock: &Client, model: &str, request: LambdaEvent<Value>) -> Result<Response<Body>, Error> {
    let body = request.payload.get("body").and_then(Value::as_str).ok_or("a request without a body")?;
    let chat: Chat = serde_json::from_str(body)?;
    let message = Message::builder().role(ConversationRole::User).content(ContentBlock::Text(chat.message)).build()?;
    let limits = InferenceConfiguration::builder().max_tokens(150).temperature(0.3).build();
    let reply = bedrock
        .converse_stream()
        .model_id(model)
        .system(SystemContentBlock::Text(SYSTEM.to_owned()))
        .messages(message)
        .inference_config(limits)
        .send()
        .await?;

    let (mut sender, body) = channel();
    let mut parts = reply.stream;
    tokio::spawn(async move {
        let (mut stop_reason, mut usage) = (None, None);
        while let Some(part) = parts.recv().await? {
            match part {
                ConverseStreamOutput::ContentBlockDelta(part) => {
                    if let Some(ContentBlockDelta::Text(text)) = part.delta() {
                        sender.send_data(event("token", &json!({ "text": text })).into()).await?;
                    }
                }
                ConverseStreamOutput::MessageStop(part) => stop_reason = Some(part.stop_reason),
                ConverseStreamOutput::Metadata(part) => usage = part.usage,
                _ => {}
            }
        }
        let stop_reason = stop_reason.as_ref().map(StopReason::as_str);
        let usage = usage.map(|usage| {
            json!({
                "input_tokens": usage.input_tokens(),
                "output_tokens": usage.output_tokens(),
                "total_tokens": usage.total_tokens(),
            })
        });
        let done = json!({ "stop_reason": stop_reason, "usage": usage });
        sender.send_data(event("done", &done).into()).await?;
        Ok::<_, Error>(())
    });

    let mut metadata_prelude = MetadataPrelude::default();
    metadata_prelude.headers.insert("content-type", "text/event-stream".parse()?);
    metadata_prelude.headers.insert("cache-control", "no-store".parse()?);
    Ok(Response { metadata_prelude, stream: body })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_from_env().await;
    let bedrock = Client::new(&config);
    let model = std::env::var("MODEL_ID")?;
    lambda_runtime::run(service_fn(|request| function(&bedrock, &model, request))).await
}
