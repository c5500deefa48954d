import type { ProblemText, ShownCode } from "./problems-en.ts";

/** Every problem that our programming interfaces answer with, in Japanese. */
export const PROBLEMS_JA: Readonly<Record<ShownCode, ProblemText>> = {
  "malformed-request": {
    title: "リクエストの形式が正しくありません",
    meaning: "HTTPとして正しくないか、本文がJSONとして読めません。",
    remedy: "UTF-8のJSONを1つ送り、アドレスはパーセントエンコードしてください。",
  },
  "invalid-request": {
    title: "リクエストの内容に誤りがあります",
    meaning:
      "項目・パラメーター・ヘッダーが足りないか、知らないものがあるか、値の型が違います。黙って捨てたり変換したりはしません。",
    remedy: "errorsに項目名と正しい書き方が入っています。",
  },
  "invalid-value": {
    title: "使えない値です",
    meaning: "型は合っていますが、その項目の値としては使えません。",
    remedy: "errorsにある項目の値を変えてください。",
  },
  "invalid-serial": {
    title: "シリアル番号の書き方が違います",
    meaning: "シリアル番号は、接頭辞のない小文字の16進数です。",
    remedy: "コロンを除き、小文字で指定してください。",
  },
  unauthorized: {
    title: "APIキーが必要です",
    meaning: "APIキーがないか、もう使えないキーです。",
    remedy: "suido api-key createで作ったキーを、Authorization: Bearerで送ってください。",
  },
  forbidden: {
    title: "この役割ではできません",
    meaning: "APIキーは有効ですが、その役割には許されていない操作です。",
    remedy: "許された役割のキーを使うか、キーの管理者に相談してください。",
  },
  "outside-scope": {
    title: "このキーの法人の範囲を越えています",
    meaning: "APIキーは1つの法人に限られていて、この操作はその範囲を越えます。",
    remedy: "法人に限られていないキーを使ってください。",
  },
  "second-principal-needed": {
    title: "別の人の確認が必要です",
    meaning: "端末が使えなくなる変更なので、提案したAPIキーでは確認できません。",
    remedy: "別の人が対象の端末を確かめ、その人のキーで確認してください。",
  },
  "not-found": {
    title: "見つかりません",
    meaning: "この名前のもので、このキーから見えるものはありません。",
    remedy: "識別子を確認してください。ほかの法人のものも「見つかりません」となります。",
  },
  "no-such-route": {
    title: "このアドレスはありません",
    meaning: "このアドレスでは何も提供していません。",
    remedy: "提供しているアドレスは/openapi.jsonにあります。",
  },
  "method-not-allowed": {
    title: "このメソッドは使えません",
    meaning: "アドレスはありますが、このメソッドでは使えません。",
    remedy: "使えるメソッドは、Allowヘッダーにあります。",
  },
  "not-acceptable": {
    title: "求められた形式では返せません",
    meaning:
      "Acceptヘッダーが、ここで返せる形式（たいていはapplication/json）をすべて除いています。",
    remedy: "detailにある形式のどれかをAcceptで送るか、ヘッダーを省いてください。",
  },
  conflict: {
    title: "すでにあるものと重なります",
    meaning: "同じ値がすでに使われているか、その間に変更されました。",
    remedy: "いまの内容を確かめるか、errorsにある項目の値を変えてください。",
  },
  "still-in-use": {
    title: "まだ使われています",
    meaning: "ほかのものがこれに依存しているため、削除できません。",
    remedy: "依存しているものを、先に削除または終了してください。",
  },
  "not-a-member": {
    title: "この薬局の利用者ではありません",
    meaning: "アカウントが、端末のある薬局の有効な利用者ではありません。",
    remedy: "先に所属を登録するか、別のアカウントを指定してください。",
  },
  "idempotency-key-reused": {
    title: "Idempotency-Keyが使われています",
    meaning: "同じキーが、別の内容のリクエストで使われています。",
    remedy: "新しいリクエストには新しいキーを使ってください。",
  },
  "bulk-refused": {
    title: "一部を発行できません",
    meaning:
      "まとめて依頼された証明書のうち、発行できないものがあります。1件も受け付けていません。",
    remedy:
      "errorsに、はじめのほうの位置と理由があります。直すか除いて、全体をもう一度送ってください。",
  },
  "batch-refused": {
    title: "招待にできない行があります",
    meaning:
      "ファイルに、招待にできない行があります。招待は1件も作っていません。メールも送っていません。",
    remedy:
      "errorsに、はじめのほうの行と列があります。dryRun=trueで送ると、すべてを見られます。直してから、もう一度送ってください。",
  },
  "not-collected": {
    title: "受け取られませんでした",
    meaning:
      "まとめて依頼された証明書のひとつで、期限までに受け取られませんでした。証明書はありません。",
    remedy: "もう一度依頼し、30日以内に受け取ってください。",
  },
  "invalid-state": {
    title: "いまの状態ではできません",
    meaning: "証明書の状態が、この操作を許しません。",
    remedy: "状態を確かめてください。失効は取り消せません。再発行で新しい証明書を作れます。",
  },
  "already-revoked": {
    title: "すでに失効しています",
    meaning: "別の理由で失効しています。理由を変えられるのはkeyCompromiseへの変更だけです。",
    remedy: "証明書はすでに使えません。何もする必要はありません。",
  },
  "not-renewable": {
    title: "臨時の証明書です",
    meaning:
      "故障した端末の代わりの、一晩だけの証明書です。発行から24時間で終わり、更新も再発行もできません。",
    remedy: "もとの端末を直すか、新しい端末に証明書を入れるご案内を送ってください。",
  },
  "key-in-use": {
    title: "使われている鍵です",
    meaning: "この公開鍵は、別の端末やアカウントのもの、または置き換える証明書のものです。",
    remedy: "この証明書のために、新しい鍵を作ってください。",
  },
  "key-compromised": {
    title: "危殆化した鍵です",
    meaning: "この公開鍵の証明書は、鍵の危殆化を理由に失効しています。",
    remedy: "新しい鍵を作ってください。この鍵は二度と使えません。",
  },
  "weak-key": {
    title: "弱い鍵です",
    meaning: "公開鍵が短いか、不具合のあるプログラムで作られていて、破られるおそれがあります。",
    remedy: "P-256、P-384、または2048ビット以上のRSAの鍵を、新しいソフトウェアで作ってください。",
  },
  "unsupported-key": {
    title: "使えない種類の鍵です",
    meaning: "この種類、またはこの形式の鍵は受け付けていません。",
    remedy: "P-256、P-384、または2048・3072ビットのRSAの鍵を使ってください。",
  },
  "malformed-csr": {
    title: "証明書署名要求を読めません",
    meaning: "PKCS#10(RFC 2986)の証明書署名要求ではありません。",
    remedy: "openssl req -newなどで作った要求を、PEM形式で送ってください。",
  },
  "malformed-pem": {
    title: "PEMを読めません",
    meaning: "期待したPEMブロック1つ(RFC 7468)ではありません。",
    remedy: "-----BEGINから-----ENDまでを、1つだけ送ってください。",
  },
  "bad-proof-of-possession": {
    title: "要求の署名が鍵と合いません",
    meaning: "証明書署名要求の署名を、その公開鍵で検証できません。",
    remedy: "対応する秘密鍵で、要求を作り直してください。",
  },
  "lint-failed": {
    title: "規則に反する要求です",
    meaning: "できあがる証明書が規則に反するため、署名しませんでした。",
    remedy: "errorsに規則があります。要求を直して、もう一度送ってください。",
  },
  "invalid-name": {
    title: "証明書に書けない名前です",
    meaning: "名前が長すぎるか、証明書に書けない文字が入っています。",
    remedy: "端末の名前を短くするか、別の文字を使ってください。",
  },
  "beyond-issuer": {
    title: "認証局より長い有効期間になります",
    meaning: "証明書の期限が、発行する認証局の期限を越えます。",
    remedy: "運用担当者が、次の世代の認証局を用意する必要があります。",
  },
  "profile-unknown": {
    title: "知らないプロファイルです",
    meaning: "この名前の、端末用の証明書プロファイルはありません。",
    remedy: "profileを省くか、ca-configにある名前を使ってください。",
  },
  "content-too-large": {
    title: "本文が大きすぎます",
    meaning: "リクエストの本文は64 kB(65,536バイト)までです。",
    remedy: "分けて送ってください。",
  },
  "unsupported-media-type": {
    title: "本文の種類が違います",
    meaning: "リクエストの本文はapplication/jsonでなければなりません。",
    remedy: "Content-Type: application/jsonを送ってください。",
  },
  "headers-too-large": {
    title: "ヘッダーが大きすぎます",
    meaning: "アドレスとヘッダーは、合わせて16 kBまでです。",
    remedy: "ヘッダーを減らすか、短くしてください。",
  },
  "request-timeout": {
    title: "リクエストが時間内に届きませんでした",
    meaning: "リクエストの全体が、時間内に届きませんでした。",
    remedy: "もう一度送ってください。",
  },
  "database-unavailable": {
    title: "データベースにつながりません",
    meaning: "データベースが応答しません。失効状態の提供は続いています。",
    remedy: "Retry-Afterの時間がたってから、同じIdempotency-Keyでもう一度送ってください。",
  },
  "signer-unavailable": {
    title: "署名プロセスにつながりません",
    meaning: "署名プロセスが応答しません。頼まれた処理は、このあと完了することがあります。",
    remedy: "Retry-Afterの時間がたってから、同じIdempotency-Keyでもう一度送ってください。",
  },
  stopping: {
    title: "まもなく停止します",
    meaning: "更新などのため、このプロセスはまもなく停止します。新しい要求は受け付けません。",
    remedy: "何も行われていません。Retry-Afterの時間をおいて、新しい接続でもう一度お試しください。",
  },
  "issuing-stopped": {
    title: "発行を止めています",
    meaning: "いまは証明書を発行していません。ほかの機能は動いています。",
    remedy: "時間をおいて、もう一度お試しください。理由はsuido ca showで確かめられます。",
  },
  quarantine: {
    title: "隔離中です",
    meaning:
      "復元のあとなどに、ジャーナルとデータベースが食い違っています。一致するまで、発行も保留の解除もしません。",
    remedy: "問題がなければ自動で終わります。終わらないときは、運用担当者が対応します。",
  },
  "internal-error": {
    title: "内部エラー",
    meaning: "こちらの不具合です。リクエストの番号とともに記録しました。",
    remedy: "もう一度お試しください。続くときは、instanceの番号をお知らせください。",
  },
  "no-client-certificate": {
    title: "クライアント証明書がありません",
    meaning: "この接続では、クライアント証明書が送られていません。",
    remedy: "新しいウィンドウで開き、この端末の証明書を選んでください。",
  },
  "malformed-certificate": {
    title: "読めないクライアント証明書です",
    meaning: "クライアント証明書が、RFC 5280とDERの形式に従っていません。",
    remedy: "この端末の証明書を選んでください。",
  },
  "foreign-issuer": {
    title: "発行元が違う証明書です",
    meaning: "このサービスが発行した証明書ではありません。",
    remedy: "この端末の証明書を選んでください。",
  },
  "certificate-unknown": {
    title: "知らない証明書です",
    meaning: "ここで発行した証明書ではありません。",
    remedy: "この端末の新しい証明書を申し込んでください。",
  },
  "certificate-not-yet-valid": {
    title: "まだ有効ではない証明書です",
    meaning: "証明書の有効期間が、まだ始まっていません。",
    remedy: "端末の時計を確かめてください。",
  },
  "certificate-expired": {
    title: "期限切れの証明書です",
    meaning: "証明書の有効期間が終わっています。",
    remedy: "この端末の新しい証明書を申し込んでください。",
  },
  "certificate-revoked": {
    title: "失効した証明書です",
    meaning: "この証明書は失効していて、元には戻りません。",
    remedy: "この端末の新しい証明書を申し込んでください。",
  },
  "certificate-on-hold": {
    title: "保留中の証明書です",
    meaning: "この証明書は一時的に止められています。解除されれば、また使えます。",
    remedy: "サポートに理由を確かめ、解除を依頼してください。",
  },
  unbound: {
    title: "利用者の決まっていない証明書です",
    meaning: "証明書は有効ですが、いま責任を持つ利用者がいません。",
    remedy: "サポートに、端末の割り当てを依頼してください。",
  },
  "device-retired": {
    title: "使われなくなった端末です",
    meaning: "この証明書の端末は、登録から外されています。",
    remedy: "まだ使っている端末なら、サポートにご連絡ください。",
  },
  "membership-ended": {
    title: "薬局に所属していません",
    meaning: "個人の端末で、その利用者はいま、端末の薬局に所属していません。",
    remedy: "いまも所属している場合は、サポートに登録を依頼してください。",
  },
  "account-disabled": {
    title: "利用者が停止されています",
    meaning: "個人の端末で、その利用者のアカウントが停止されています。",
    remedy: "引き続き利用する場合は、サポートにご連絡ください。",
  },
  "tenant-behind": {
    title: "記録が以前の状態に戻っています",
    meaning:
      "この法人の記録が、これまで確認していたものより古い状態です(データベースの復元)。追いつくまで、この法人の端末は通しません。",
    remedy: "お客様の操作は必要ありません。運用担当者が対応します。",
  },
  "too-many-guesses": {
    title: "間違ったリンクやコードが続きました",
    meaning:
      "存在しないリンクやコードが続けて入力されたため、10分間コードを受け付けません。メールのリンクは、いつでも開けます。",
    remedy: "メールのリンクを開くか、10分後にもう一度コードを入力してください。",
  },
  "other-site": {
    title: "別のサイトから送られています",
    meaning: "別のサイトのページから送られたため、何もしていません。",
    remedy: "このサイトのページを開いて、そこで押してください。",
  },
  "no-session": {
    title: "別の画面で始められています",
    meaning:
      "このブラウザーでは始められていないか、その後、別のブラウザーで始め直されました。続けられるのは1つの画面だけです。",
    remedy: "続けたいブラウザーで、メールのリンクを開くか、コードを入力してください。",
  },
  "script-spent": {
    title: "このスクリプトは使い終わっています",
    meaning:
      "Windows用のスクリプトは、1時間のうちに証明書を1枚だけ作ります。使えるのは、いちばん新しいものだけです。このファイルは、すでに使われたか、古くなったか、当方で作ったものではないかの、どれかです。",
    remedy: "案内のページからもう一度ダウンロードし、いちばん新しいファイルを実行してください。",
  },
  "not-identified": {
    title: "ご本人の確認がまだです",
    meaning: "証明書は、ご本人を確認できてから、ご案内の期限までにお作りします。",
    remedy: "画面のお問い合わせ番号を、お電話でサポートにお伝えください。",
  },
  "emergencies-used-up": {
    title: "今月の臨時の証明書を使い切りました",
    meaning: "臨時の証明書は、薬局ごとに、ひと月の回数が決まっています。",
    remedy: "別の端末に証明書を入れるご案内を送り、お電話でご本人を確認してください。",
  },
  "too-many-bundles": {
    title: "作り直しの回数が多すぎます",
    meaning: "このご案内では何度も証明書をお作りしたため、これ以上は作れません。",
    remedy: "サポートにお電話ください。新しいご案内をお送りし、お電話でお手伝いします。",
  },
  "status-too-old": {
    title: "状態の情報が古すぎます",
    meaning:
      "データベースと連絡が取れない時間が長く、記憶している情報だけでは通してよいか答えられません。",
    remedy: "しばらくしてから、もう一度お試しください。続く場合は運用担当者にご連絡ください。",
  },
};
