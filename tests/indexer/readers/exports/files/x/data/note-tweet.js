window.YTD.note_tweet.part0 = [
  {"noteTweet": {"noteTweetId": "1700000000000000009", "createdAt": "2024-05-13T07:20:00.000Z", "core": {"text": "A long one about every stall between the old gate and the lake, with what each of them sells, when it opens, whom to ask for, and what it cost in May, June and July, because people keep asking me and I keep forgetting, so here it all is, once and for good.", "urls": [], "mentions": [], "hashtags": []}}}
]
